import { expect, test } from 'vitest';

import { cell, line } from './csv';

test('what needs no quotes has none', () => {
  expect(line(['web-1', '10.0.0.1', '', '12'])).toBe('web-1,10.0.0.1,,12\r\n');
});

test('commas, quotes and ends of lines stand in quotes (RFC 4180)', () => {
  expect(cell('a,b')).toBe('"a,b"');
  expect(cell('say "no"')).toBe('"say ""no"""');
  expect(cell('one\ntwo')).toBe('"one\ntwo"');
  expect(cell('one\r\ntwo')).toBe('"one\r\ntwo"');
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx'])('a spreadsheet computes nothing: %j', (text) => {
  expect(cell(text)).toBe(`'${text}`);
});

test('inert and quoted at once', () => {
  expect(cell('=HYPERLINK("http://evil","a")')).toBe(`"'=HYPERLINK(""http://evil"",""a"")"`);
  expect(cell('\rx')).toBe(`"'\rx"`);
});
