// Changing a filter by what somebody clicks: a value in, a value out, and neither.

import { tokens, type Token } from './tokens';

export type Way = 'in' | 'out';

const PLAIN = /^[\p{Alphabetic}\p{N}_.@-]+$/u;
const KEYWORD = /^(?:and|or|not)$/i;

function quoted(text: string, mark: string): string {
  return mark + text.replace(/["`\\]/g, (char) => (char === mark || char === '\\' ? `\\${char}` : char)) + mark;
}

/** A value as it is written in a filter: in quotes where it needs them, so that nothing in it has a meaning. */
export function quote(value: string): string {
  return PLAIN.test(value) && !KEYWORD.test(value) ? value : quoted(value, '"');
}

/** The name of a field as it is written in a filter. */
export function fieldName(name: string): string {
  return PLAIN.test(name) && /[^0-9]/.test(name) && !name.startsWith('-') ? name : quoted(name, '`');
}

/** A term that asks for a value of a field, or for all but it. */
export function term(field: string, value: string, way: Way): string {
  return `${fieldName(field)}${way === 'in' ? ':' : '!='}${quote(value)}`;
}

interface Part {
  first: number;
  last: number;
  field: string;
  value: string;
  way: Way;
}

/** The terms of one field and one value that stand in no parentheses. */
function parts(list: readonly Token[]): Part[] {
  const found: Part[] = [];
  let depth = 0;
  for (const [index, token] of list.entries()) {
    if (token.text === '(' && token.kind === 'paren') depth += 1;
    else if (token.text === ')' && token.kind === 'paren') depth -= 1;
    const [operator, value] = [list[index + 1], list[index + 2]];
    if (depth !== 0 || token.kind !== 'field' || operator?.kind !== 'operator' || value?.kind !== 'value') continue;
    if (/[<>]/.test(operator.text)) continue;
    const before = list[index - 1];
    const denied = before?.kind === 'keyword' && /^(?:not|!|-)$/i.test(before.text);
    // `not not user:root` is left to who wrote it.
    if (denied && list[index - 2]?.kind === 'keyword' && /^(?:not|!|-)$/i.test(list[index - 2]?.text ?? '')) continue;
    const out = denied !== (operator.text === '!=');
    found.push({ first: denied ? index - 1 : index, last: index + 2, field: plain(token.text), value: plain(value.text), way: out ? 'out' : 'in' });
  }
  return found;
}

/** What a name or value says without its quotes and backslashes, in any case the same. */
function plain(text: string): string {
  const inner = /^["`]/.test(text) ? text.slice(1, -1) : text;
  return inner.replace(/\\([\s!-/:-@[-`{-~])/g, '$1').toLowerCase();
}

/** Whether an `or` outside of parentheses makes the filter one of several. */
function hasOr(list: readonly Token[]): boolean {
  let depth = 0;
  for (const { kind, text } of list) {
    if (kind === 'paren') depth += text === '(' ? 1 : -1;
    else if (depth === 0 && kind === 'keyword' && /^(?:or|\|\|)$/i.test(text)) return true;
  }
  return false;
}

function find(query: string, field: string, value: string, way: Way): { list: Token[]; part?: Part } {
  const list = tokens(query);
  if (hasOr(list)) return { list };
  const [name, text] = [field.toLowerCase(), value.toLowerCase()];
  const part = parts(list).find((part) => part.field === name && part.value === text && part.way === way && !wild(list[part.last]?.text ?? ''));
  return part ? { list, part } : { list };
}

/** A value without quotes may have wildcards: then it asks for more than this one. */
function wild(text: string): boolean {
  return !text.startsWith('"') && /(^|[^\\])[*?]/.test(text);
}

/** Whether the filter already asks for it. */
export function hasTerm(query: string, field: string, value: string, way: Way): boolean {
  return find(query, field, value, way).part !== undefined;
}

/** The filter that asks for this too. What asked for the contrary goes. */
export function addTerm(query: string, field: string, value: string, way: Way): string {
  const rest = removeTerm(query, field, value, way === 'in' ? 'out' : 'in').trim();
  if (hasTerm(rest, field, value, way)) return rest;
  const added = term(field, value, way);
  if (rest === '') return added;
  return `${hasOr(tokens(rest)) ? `(${rest})` : rest} ${added}`;
}

/** The filter without this; where it does not ask for it, as it is. */
export function removeTerm(query: string, field: string, value: string, way: Way): string {
  const { list, part } = find(query, field, value, way);
  if (!part) return query;
  const isAnd = (token: Token | undefined) => token?.kind === 'keyword' && /^(?:and|&&)$/i.test(token.text);
  let { first, last } = part;
  if (isAnd(list[last + 1])) last += 1;
  else if (isAnd(list[first - 1])) first -= 1;
  const before = query.slice(0, list[first]?.from ?? 0).trimEnd();
  const after = query.slice(list[last]?.to ?? query.length).trimStart();
  return before && after ? `${before} ${after}` : before + after;
}

/** Where in a text a byte of its UTF-8 stands: the server counts bytes. */
export function placeOfByte(text: string, byte: number): number {
  let bytes = 0;
  let place = 0;
  for (const char of text) {
    if (bytes >= byte) break;
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    place += char.length;
  }
  return place;
}

export interface Pointed {
  message: string;
  from: number;
  to: number;
}

/** Where the trouble is, of a problem that shows the filter and `^` under the place; nothing where it shows none. */
export function pointed(query: string, detail: string): Pointed | undefined {
  const lines = detail.split('\n');
  const carets = lines.pop() ?? '';
  const shown = lines.pop();
  if (shown === undefined || !/^ *\^+$/.test(carets)) return undefined;
  const chars = Array.from(query);
  const column = carets.indexOf('^');
  // A long filter is shown in part, with an ellipsis where it goes on.
  const cut = chars.length > 72 && shown.startsWith('…');
  const inner = cut ? Array.from(shown.replace(/^…|…$/g, '')) : [];
  const start = cut ? Math.max(0, beginning(chars, inner)) + column - 1 : column;
  const place = (count: number) => chars.slice(0, count).join('').length;
  return { message: lines.join('\n'), from: place(start), to: place(start + carets.length - column) };
}

/** Where a part of the filter begins; characters that the server replaced fit any. */
function beginning(chars: string[], inner: string[]): number {
  const fits = (from: number) => inner.every((char, index) => char === '\uFFFD' || /[\u2400-\u2421]/.test(char) || char === chars[from + index]);
  for (let from = chars.length - inner.length; from >= 0; from -= 1) if (fits(from)) return from;
  return 0;
}
