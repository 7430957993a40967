import { beforeAll, expect, test } from 'vitest';

import type { Predicate } from '$/api/schema';

import { groupWords, testWords } from './sentences';

beforeAll(async () => {
  Object.assign(globalThis, { document: { documentElement: {} } });
  await (await import('$/i18n')).load('en');
});

test.each([
  ['contains "cmd=" (with case)', { words: 'contains', value: '"cmd="', cased: true }],
  ['= "in "', { words: 'is', value: '"in "', cased: false }],
  ['= the field user', { words: 'is the same as the field', value: 'user', cased: false }],
  ['matches /^a (with case)$/', { words: 'matches', value: '/^a (with case)$/', cased: false }],
  ['in 10.0.0.0/8', { words: 'is in', value: '10.0.0.0/8', cased: false }],
  ['<= 5', { words: 'is at most', value: '5', cased: false }],
  ['is empty', { words: 'is empty', value: '', cased: false }],
  ['does not exist', { words: 'does not exist', value: '', cased: false }],
  ['rhymes with "x"', { words: '', value: 'rhymes with "x"', cased: false }],
])('%s', (said, expected) => {
  expect(testWords(said)).toEqual(expected);
});

test('a group says how many of its parts must hold', () => {
  const words = (op: Predicate['op'], said: string) => groupWords({ op, words: said });
  expect(words('of', 'at least 2 of these')).toBe('At least 2 of these:');
  expect(words('and', 'all of these')).toBe('All of these:');
});
