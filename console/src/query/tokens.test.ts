import { describe, expect, test } from 'vitest';

import { tokens } from './tokens';

const kinds = (query: string) => tokens(query).map(({ kind, text }) => `${kind} ${text}`);

describe('the pieces of', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['failed', ['word failed']],
    ['"failed password"', ['phrase "failed password"']],
    ['fail* f?o', ['word fail*', 'word f?o']],
    ['a and not (b or c)', ['word a', 'keyword and', 'keyword not', 'paren (', 'word b', 'keyword or', 'word c', 'paren )']],
    ['a&&!b||-c', ['word a', 'keyword &&', 'keyword !', 'word b', 'keyword ||', 'keyword -', 'word c']],
    ['user:root', ['field user', 'operator :', 'value root']],
    ['user != "jane doe"', ['field user', 'operator !=', 'value "jane doe"']],
    ['user:(root or admin, "a b")', ['field user', 'operator :', 'paren (', 'value root', 'keyword or', 'value admin', 'comma ,', 'value "a b"', 'paren )']],
    ['n>=500 t>now-15m', ['field n', 'operator >=', 'value 500', 'field t', 'operator >', 'value now-15m']],
    ['src_ip:2001:db8::/32', ['field src_ip', 'operator :', 'value 2001:db8::/32']],
    ['2001:db8::1', ['word 2001:db8::1']],
    ['message:/a \\d+ (b|c)\\//', ['field message', 'operator :', 'regex /a \\d+ (b|c)\\//']],
    ['`odd name`:x', ['field `odd name`', 'operator :', 'value x']],
    ['country:OR', ['field country', 'operator :', 'value OR']],
    ['user: and x', ['field user', 'operator :', 'keyword and', 'word x']],
    ['--force android nothing', ['word --force', 'word android', 'word nothing']],
    ['path:"a\\"b" a\\:b', ['field path', 'operator :', 'value "a\\"b"', 'word a\\:b']],
    ['tty:*', ['field tty', 'operator :', 'value *']],
    ['用户:张三', ['field 用户', 'operator :', 'value 张三']],
  ])('%s', (query, expected) => expect(kinds(query)).toEqual(expected));
});

describe('what is wrong is marked:', () => {
  test.each<[string, string[]]>([
    ['"open', ['error "open']],
    ['`open', ['error `open']],
    ['a:/open', ['field a', 'operator :', 'error /open']],
    ['=x', ['error =', 'word x']],
    ['12:x', ['error 12', 'operator :', 'value x']],
    ['a/b:x', ['error a/b', 'operator :', 'value x']],
    ['a:((b)', ['field a', 'operator :', 'paren (', 'error (', 'value b', 'paren )']],
  ])('%s', (query, expected) => expect(kinds(query)).toEqual(expected));
});

test('every text ends, and its pieces stand in their order without a gap but white space', () => {
  const alphabet = ['a', '&', '|', '!', '(', ')', ' ', ':', '=', '"', '`', ',', '\\', '/', '*', '-', 'é', 'and', '<'];
  let state = 7;
  for (let round = 0; round < 3000; round += 1) {
    let text = '';
    for (let index = 0; index < 12; index += 1) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      text += alphabet[Math.floor(state / 65_536) % alphabet.length];
    }
    const found = tokens(text);
    const covered = found.map((token, index) => text.slice(found[index - 1]?.to ?? 0, token.from).trim() + text.slice(token.from, token.to));
    expect([...covered, text.slice(found.at(-1)?.to ?? 0).trim()]).toEqual([...found.map(({ text }) => text), '']);
    expect(found.every(({ from, to }) => to > from), text).toBe(true);
  }
});
