// JSON in readable lines. Only white space changes: numbers keep all their digits, and a name that stands twice stands twice.

export type JsonKind = 'name' | 'string' | 'number' | 'word' | 'mark';

export interface JsonPiece {
  kind: JsonKind;
  text: string;
}

const TOKEN = /"(?:\\.|[^"\\])*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

/** The pieces of a text that is an object or a list of JSON, with line breaks and indents; nothing for other texts. */
export function pretty(text: string): JsonPiece[] | undefined {
  const first = /^\s*([{[])/.exec(text);
  if (!first) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const tokens = text.match(TOKEN) ?? [];
  const pieces: JsonPiece[] = [];
  let depth = 0;
  const line = () => `\n${'  '.repeat(Math.min(depth, 64))}`;
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    if (token === '{' || token === '[') {
      depth += 1;
      const isEmpty = next === '}' || next === ']';
      pieces.push({ kind: 'mark', text: isEmpty ? token : token + line() });
    } else if (token === '}' || token === ']') {
      depth -= 1;
      const before = tokens[index - 1];
      pieces.push({ kind: 'mark', text: before === '{' || before === '[' ? token : line() + token });
    } else if (token === ',') pieces.push({ kind: 'mark', text: token + line() });
    else if (token === ':') pieces.push({ kind: 'mark', text: ': ' });
    else pieces.push({ kind: kindOf(token, next), text: token });
  }
  return pieces;
}

function kindOf(token: string, next: string | undefined): JsonKind {
  if (token.startsWith('"')) return next === ':' ? 'name' : 'string';
  return /^[tfn]/.test(token) ? 'word' : 'number';
}
