// Text of logs is hostile. It is only ever shown as text; here what could hide or steer is made visible.

/** One mark for each character that does not show as itself. */
export interface Piece {
  text: string;
  /** It stands for a character that is not shown: its code, such as `U+202E`. */
  code?: string;
}

// Control characters but tab and line feed, direction and zero-width marks and the like, halves of characters, separators
// of lines, and fillers that look like nothing.
const HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115F\u1160\u3164\uFFA0]/gu;

function code(char: string): string {
  return (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0');
}

/** The text, with `\u{202E}` in place of each character that would hide, steer or turn around what stands there. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => `\\u{${code(char)}}`);
}

/** The same in pieces, so that a mark can be told from a text that says `\u{202E}`. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const hit of text.matchAll(HIDDEN)) {
    if (hit.index > from) found.push({ text: text.slice(from, hit.index) });
    found.push({ text: `\\u{${code(hit[0])}}`, code: `U+${code(hit[0]).padStart(4, '0')}` });
    from = hit.index + hit[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

/** The beginning of a text, not cut within a character. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

/** How many bytes a text has in UTF-8. */
export function size(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Characters of one chunk. */
const CHUNK = 16_384;

/** The text in chunks that can be drawn one by one, cut at line breaks where there are any. */
export function chunks(text: string): string[] {
  const found: string[] = [];
  let from = 0;
  while (text.length - from > CHUNK) {
    const line = text.lastIndexOf('\n', from + CHUNK);
    const piece = line > from ? text.slice(from, line) : cut(text.slice(from, from + CHUNK), CHUNK - 1);
    found.push(piece);
    from += piece.length + (line > from ? 1 : 0);
  }
  if (from < text.length) found.push(text.slice(from));
  return found;
}
