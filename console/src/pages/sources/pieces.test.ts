import { describe, expect, it } from 'vitest';

import { pieces, Unsendable } from './pieces';

const bytes = (text: string) => new TextEncoder().encode(text);

async function* stream(text: string, step: number) {
  for (let at = 0; at < text.length; at += step) yield bytes(text.slice(at, at + step));
}

async function cut(text: string, size: number, most = 1000, step = 3): Promise<string[]> {
  const found: string[] = [];
  for await (const piece of pieces(stream(text, step), size, most)) found.push(new TextDecoder().decode(piece));
  return found;
}

describe('pieces of a file', () => {
  it('end where lines end', async () => {
    expect(await cut('aa\nbb\ncc\ndd', 7)).toEqual(['aa\nbb\n', 'cc\ndd']);
    expect(await cut('aa\nbb\ncc\n', 3)).toEqual(['aa\n', 'bb\n', 'cc\n']);
    expect(await cut('', 3)).toEqual([]);
  });

  it('lose and double nothing, however the bytes come', async () => {
    const text = Array.from({ length: 60 }, (_, index) => 'x'.repeat(index % 11)).join('\n');
    for (const step of [1, 2, 7, 500]) {
      const found = await cut(text, 16, 1000, step);
      expect(found.join('')).toBe(text);
      expect(found.slice(0, -1).every((piece) => piece.endsWith('\n'))).toBe(true);
    }
  });

  it('are longer where a line is', async () => {
    expect(await cut(`${'x'.repeat(20)}\nb\n`, 7)).toEqual([`${'x'.repeat(20)}\n`, 'b\n']);
    await expect(cut('x'.repeat(60), 7, 50)).rejects.toEqual(new Unsendable('line'));
  });

  it('are not made of a document', async () => {
    const list = '[\n{"a": 1},\n{"a": 2}\n]\n';
    expect(await cut(list, 8)).toEqual([list]);
    await expect(cut(list, 8, 12)).rejects.toEqual(new Unsendable('document'));
    expect(await cut('[Mon Nov 22] a\n[Mon Nov 22] b\n', 16)).toEqual(['[Mon Nov 22] a\n', '[Mon Nov 22] b\n']);
  });

  it('are not made of what is no text', async () => {
    await expect(cut('ElfFile\u0000\u0000', 12)).rejects.toEqual(new Unsendable('binary'));
  });
});
