// A file as pieces to send: each ends where a line ends, so that no event is cut in two.

/** A piece is below 4 MiB. */
export const PIECE = 4 * 1024 * 1024 - 1;
/** What the server takes at once. */
export const MOST = 12 * 1024 * 1024;

const LINE_END = 0x0a;

/** Why a file cannot be sent: a line too long, a document too large to send whole, or no text. */
export class Unsendable extends Error {
  constructor(readonly why: 'line' | 'document' | 'binary') {
    super(why);
    this.name = 'Unsendable';
  }
}

/** The pieces of a stream of bytes, none of them empty. */
export async function* pieces(stream: AsyncIterable<Uint8Array>, size = PIECE, most = MOST): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let kept = new Uint8Array(0);
  let whole: boolean | undefined;
  for await (const bytes of stream) {
    kept = joined(kept, bytes);
    if (whole === undefined && kept.length >= Math.min(4096, size)) whole = check(kept);
    while (kept.length > size && !whole) {
      const end = cutAt(kept, size);
      if (end === 0) break;
      yield kept.slice(0, end);
      kept = kept.slice(end);
    }
    if (kept.length > most) throw new Unsendable(whole ? 'document' : 'line');
  }
  whole ??= check(kept);
  while (!whole && kept.length > size) {
    const end = cutAt(kept, size) || kept.length;
    yield kept.slice(0, end);
    kept = kept.slice(end);
  }
  if (kept.length > 0) yield kept;
}

/** Where the last line ends that fits, or the first one if none does; 0 where none has ended yet. */
function cutAt(bytes: Uint8Array, size: number): number {
  return bytes.lastIndexOf(LINE_END, size - 1) + 1 || bytes.indexOf(LINE_END, size) + 1;
}

/** Whether a file is one document, which must be sent whole: a list of JSON, or an object over several lines. */
function check(start: Uint8Array): boolean {
  if (start.subarray(0, 4096).includes(0)) throw new Unsendable('binary');
  const text = new TextDecoder().decode(start.subarray(0, 4096)).trimStart();
  if (text.startsWith('[')) return /^\[\s*[\][{"\d]/.test(text);
  return /^\{\s*\n/.test(text);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
