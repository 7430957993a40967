import { describe, expect, test } from 'vitest';

import { addTerm, fieldName, hasTerm, placeOfByte, pointed, quote, removeTerm, type Way } from './edit';

test.each([
  ['root', 'root'],
  ['10.0.0.7', '10.0.0.7'],
  ['张三', '张三'],
  ['', '""'],
  ['jane doe', '"jane doe"'],
  ['and', '"and"'],
  ['a*b', '"a*b"'],
  ['/etc/passwd', '"/etc/passwd"'],
  ['C:\\x "y"', '"C:\\\\x \\"y\\""'],
  ['2001:db8::1', '"2001:db8::1"'],
])('the value %s is written %s', (value, written) => expect(quote(value)).toBe(written));

test.each([
  ['user', 'user'],
  ['odd name', '`odd name`'],
  ['7', '`7`'],
  ['-x', '`-x`'],
  ['a`b', '`a\\`b`'],
])('the field %s is written %s', (name, written) => expect(fieldName(name)).toBe(written));

describe('adding', () => {
  test.each<[string, string, Way, string]>([
    ['', 'root', 'in', 'user:root'],
    ['sshd', 'root', 'in', 'sshd user:root'],
    ['sshd', 'jane doe', 'out', 'sshd user!="jane doe"'],
    ['a or b', 'root', 'in', '(a or b) user:root'],
    ['(a or b)', 'root', 'in', '(a or b) user:root'],
    ['user:(a or b)', 'root', 'in', 'user:(a or b) user:root'],
    ['sshd user:root', 'root', 'in', 'sshd user:root'],
    ['sshd USER = "Root"', 'root', 'in', 'sshd USER = "Root"'],
    ['sshd and user:root', 'root', 'out', 'sshd user!=root'],
    ['not user:root', 'root', 'in', 'user:root'],
    ['user!=root sshd', 'root', 'in', 'sshd user:root'],
    ['user:r*t', 'r*t', 'in', 'user:r*t user:"r*t"'],
    ['"or"', 'root', 'in', '"or" user:root'],
  ])('to %s: %s %s', (query, value, way, expected) => {
    expect(addTerm(query, 'user', value, way)).toBe(expected);
    expect(hasTerm(expected, 'user', value, way)).toBe(true);
  });
});

describe('removing', () => {
  test.each<[string, Way, string]>([
    ['user:root', 'in', ''],
    ['a and user:root and b', 'in', 'a and b'],
    ['a and user:root', 'in', 'a'],
    ['user:root && b', 'in', 'b'],
    ['a user:root b', 'in', 'a b'],
    ['a -user:root', 'out', 'a'],
    ['a user!=root', 'out', 'a'],
    ['a user!=root', 'in', 'a user!=root'],
    ['a or user:root', 'in', 'a or user:root'],
    ['(a user:root)', 'in', '(a user:root)'],
    ['user>root', 'in', 'user>root'],
    ['not not user:root', 'in', 'not not user:root'],
  ])('from %s, %s', (query, way, expected) => expect(removeTerm(query, 'user', 'root', way)).toBe(expected));
});

test.each([
  ['abc', 2, 2],
  ['é=x', 3, 2],
  ['张三:x', 6, 2],
  ['🙂x', 4, 2],
  ['abc', 99, 3],
])('in %s, byte %i is at place %i', (text, byte, place) => expect(placeOfByte(text, byte)).toBe(place));

describe('the place of a mistake', () => {
  test('is under the marks', () => {
    expect(pointed('user:root and (sshd', 'never closed\nuser:root and (sshd\n              ^')).toEqual({ message: 'never closed', from: 14, to: 15 });
    expect(pointed('a 🙂 ==', 'two\na 🙂 ==\n    ^^')).toEqual({ message: 'two', from: 5, to: 7 });
  });

  test('in a long filter, of which a part is shown', () => {
    const query = `${'abcdefghi '.repeat(12)}( end`;
    const shown = `…${Array.from(query).slice(-72).join('')}`;
    const carets = `${' '.repeat(shown.indexOf('('))}^`;
    expect(pointed(query, `never closed\n${shown}\n${carets}`)).toEqual({ message: 'never closed', from: 120, to: 121 });
  });

  test('is not known where none is shown', () => {
    expect(pointed('a', 'the server is busy')).toBeUndefined();
    expect(pointed('a', '')).toBeUndefined();
  });
});
