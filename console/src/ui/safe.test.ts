import { describe, expect, test } from 'vitest';

import { chunks, cut, pieces, size, visible } from './safe';

describe('what hides or steers is seen', () => {
  test.each([
    ['plain 文字 é 🙂', 'plain 文字 é 🙂'],
    ['tab\tand\nline', 'tab\tand\nline'],
    ['<script>', '<script>'],
    ['\u001B[31m', '\\u{1B}[31m'],
    ['\u0000\u0007\r\u007F\u009B', '\\u{00}\\u{07}\\u{0D}\\u{7F}\\u{9B}'],
    ['invoice\u202Efdp.exe', 'invoice\\u{202E}fdp.exe'],
    ['\u2066a\u2069\u200E\u200F\u061C', '\\u{2066}a\\u{2069}\\u{200E}\\u{200F}\\u{61C}'],
    ['a\u200Bb\u2060\uFEFF\u00AD', 'a\\u{200B}b\\u{2060}\\u{FEFF}\\u{AD}'],
    ['a\u2028b', 'a\\u{2028}b'],
    ['half \uD83D', 'half \\u{D83D}'],
    ['\u{E0041}', '\\u{E0041}'],
    ['\u3164', '\\u{3164}'],
  ])('%j', (text, expected) => expect(visible(text)).toBe(expected));
});

test('a mark can be told from a text that looks like one', () => {
  expect(pieces('a\u202Eb')).toEqual([{ text: 'a' }, { text: '\\u{202E}', code: 'U+202E' }, { text: 'b' }]);
  expect(pieces('\\u{202E}')).toEqual([{ text: '\\u{202E}' }]);
  expect(pieces('')).toEqual([]);
});

test('a text is not cut within a character', () => {
  expect(cut('ab🙂c', 3)).toBe('ab');
  expect(cut('ab🙂c', 4)).toBe('ab🙂');
  expect(cut('ab', 5)).toBe('ab');
});

test('the size is in bytes', () => expect(size('é🙂a')).toBe(7));

describe('chunks', () => {
  test('of lines end at line breaks, and nothing is lost', () => {
    const text = Array.from({ length: 5000 }, (_, index) => `line ${index}`).join('\n');
    const found = chunks(text);
    expect(found.length).toBeGreaterThan(2);
    expect(found.join('\n')).toBe(text);
  });

  test('of one long line keep every character whole', () => {
    const text = '🙂'.repeat(40_000);
    const found = chunks(`a${text}`);
    expect(found.join('')).toBe(`a${text}`);
    expect(found.every((chunk) => visible(chunk) === chunk)).toBe(true);
  });

  test('of little are one, of nothing none', () => {
    expect(chunks('a\nb')).toEqual(['a\nb']);
    expect(chunks('')).toEqual([]);
  });
});
