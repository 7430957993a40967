// The pieces of a filter, for showing and changing it. It reads as the server does, but forgives: what is typed is seldom
// complete. What a filter finds, only the server decides.

export type Kind = 'word' | 'phrase' | 'field' | 'operator' | 'value' | 'regex' | 'keyword' | 'paren' | 'comma' | 'error';

export interface Token {
  kind: Kind;
  from: number;
  /** Where it ends, exclusive. */
  to: number;
  text: string;
}

const RELATION = /!=|>=|<=|==|=|:|>|</y;
const SPACE = /\s+/y;
const NAME = /^(?=.*[^0-9])(?!-)[\p{Alphabetic}\p{N}_.@-]+$/u;
const ADDRESS = /(?=[0-9a-f:.]*:[0-9a-f:.]*:)[0-9a-f:.]+(?=[\s()]|$)/iy;

type Stop = 'word' | 'value' | 'item';

class Reader {
  readonly tokens: Token[] = [];
  private at = 0;

  constructor(private readonly text: string) {}

  run(): Token[] {
    while (this.skipSpace()) this.operand();
    return this.tokens;
  }

  private skipSpace(): boolean {
    this.at += this.take(SPACE).length;
    return this.at < this.text.length;
  }

  /** What the pattern finds right here. */
  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0] ?? '';
  }

  private add(kind: Kind, length: number) {
    const to = Math.min(this.text.length, this.at + length);
    this.tokens.push({ kind, from: this.at, to, text: this.text.slice(this.at, to) });
    this.at = to;
  }

  private operand() {
    const char = this.text.charAt(this.at);
    const keyword = keywordAt(this.text, this.at);
    if (keyword > 0) return this.add('keyword', keyword);
    if (char === '(' || char === ')') return this.add('paren', 1);
    if (char === '"') return this.quoted('"', 'phrase');
    if (char === '`') {
      this.quoted('`', 'field');
      return this.relation();
    }
    const address = this.take(ADDRESS);
    if (address) return this.add('word', address.length);
    const length = this.bare('word');
    if (length === 0) return this.add('error', this.take(RELATION).length || 1);
    if (!this.isField(length)) return this.add('word', length);
    this.add(NAME.test(this.text.slice(this.at, this.at + length)) ? 'field' : 'error', length);
    this.relation();
  }

  /** Whether an operator follows what is so long from here. */
  private isField(length: number): boolean {
    const start = this.at;
    this.at += length;
    this.skipSpace();
    const found = this.take(RELATION) !== '';
    this.at = start;
    return found;
  }

  private relation() {
    const behind = this.at;
    this.skipSpace();
    const relation = this.take(RELATION);
    if (!relation) {
      this.at = behind;
      return;
    }
    this.add('operator', relation.length);
    const near = this.at;
    if (!this.skipSpace()) return;
    // With space between, a connective is one: in `user: and x` the value is missing.
    const keyword = keywordAt(this.text, this.at);
    if (keyword > 1 && this.at > near) return;
    if (this.text.charAt(this.at) !== '(') this.value('value');
    else this.list();
  }

  private list() {
    this.add('paren', 1);
    while (this.skipSpace()) {
      const char = this.text.charAt(this.at);
      const keyword = keywordAt(this.text, this.at);
      if (char === ')') return this.add('paren', 1);
      if (char === ',') this.add('comma', 1);
      else if (char === '(') this.add('error', 1);
      else if (keyword > 1) this.add('keyword', keyword);
      else this.value('item');
    }
  }

  private value(stop: Stop) {
    const char = this.text.charAt(this.at);
    if (char === '"') return this.quoted('"', 'value');
    if (char === '/') return this.quoted('/', 'regex');
    const length = this.bare(stop);
    if (length > 0) this.add('value', length);
    else if (this.text.charAt(this.at) !== ')') this.add('error', 1);
  }

  /** A piece that ends at the next such mark without a backslash. */
  private quoted(mark: string, kind: Kind) {
    for (let at = this.at + 1; at < this.text.length; at += 1) {
      const char = this.text.charAt(at);
      if (char === '\\') at += 1;
      else if (char === mark) return this.add(kind, at + 1 - this.at);
    }
    this.add('error', this.text.length - this.at);
  }

  /** How long a piece without quotes is. */
  private bare(stop: Stop): number {
    let at = this.at;
    for (; at < this.text.length; at += 1) {
      const char = this.text.charAt(at);
      if (ends(this.text, at) || char === '"' || (stop === 'item' && char === ',')) break;
      RELATION.lastIndex = at;
      if (stop === 'word' && RELATION.test(this.text)) break;
      if (char === '\\' && /[\s!-/:-@[-`{-~]/.test(this.text.charAt(at + 1))) at += 1;
    }
    return Math.min(at, this.text.length) - this.at;
  }
}

/** Whether no word or value goes on here. */
function ends(text: string, at: number): boolean {
  return at >= text.length || /[\s()]/.test(text.charAt(at)) || text.startsWith('&&', at) || text.startsWith('||', at);
}

/** How long the keyword is that begins here; 0 where there is none. `-` and `!` are `not`. */
function keywordAt(text: string, at: number): number {
  const second = text.charAt(at + 1);
  if (text.startsWith('&&', at) || text.startsWith('||', at)) return 2;
  if (text.charAt(at) === '!' && second !== '=') return 1;
  if (text.charAt(at) === '-' && second && !/[\s)-]/.test(second)) return 1;
  const word = /^(?:and|or|not)(?![a-z])/i.exec(text.slice(at, at + 4))?.[0] ?? '';
  return word && (ends(text, at + word.length) || text.charAt(at + word.length) === '"') ? word.length : 0;
}

/** The pieces of a filter in their order; white space lies between them. */
export function tokens(query: string): Token[] {
  return new Reader(query).run();
}
