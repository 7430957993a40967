import { expect, test } from 'vitest';

import { pretty } from './json';

const lines = (text: string) => pretty(text)?.map(({ text }) => text).join('');

test('only white space changes', () => {
  expect(lines('{"id":12345678901234567890,"a":[1,-2e5],"a":{},"s":"x, {y}: \\"z\\"","n":null}')).toBe(
    '{\n  "id": 12345678901234567890,\n  "a": [\n    1,\n    -2e5\n  ],\n  "a": {},\n  "s": "x, {y}: \\"z\\"",\n  "n": null\n}',
  );
});

test('names, strings, numbers and words are told apart', () => {
  expect(pretty('{"a":"b","c":[1,true]}')?.filter(({ kind }) => kind !== 'mark')).toEqual([
    { kind: 'name', text: '"a"' },
    { kind: 'string', text: '"b"' },
    { kind: 'name', text: '"c"' },
    { kind: 'number', text: '1' },
    { kind: 'word', text: 'true' },
  ]);
});

test.each(['', 'text', '"text"', '12', '{"a":', '[1] [2]', '{a:1}'])('%s is no object and no list', (text) => expect(pretty(text)).toBeUndefined());
