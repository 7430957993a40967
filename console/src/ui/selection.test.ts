import { expect, test } from 'vitest';

import { extent, ranged, toggled } from './selection';

const KEYS = ['a', 'b', 'c', 'd', 'e'];
const sorted = (set: Set<string>) => [...set].sort();

test('a row goes in, and out again', () => {
  const one = toggled(new Set(), 'a');
  expect(sorted(one)).toEqual(['a']);
  expect(sorted(toggled(one, 'a'))).toEqual([]);
  // What was given stays as it was: the page compares.
  expect(sorted(one)).toEqual(['a']);
});

test('all rows between two, in both directions', () => {
  expect(sorted(ranged(new Set(['b']), KEYS, 'b', 'd'))).toEqual(['b', 'c', 'd']);
  expect(sorted(ranged(new Set(['d']), KEYS, 'd', 'b'))).toEqual(['b', 'c', 'd']);
  expect(sorted(ranged(new Set(['a', 'e']), KEYS, 'a', 'b'))).toEqual(['a', 'b', 'e']);
});

test('a range that ends at a selected row takes rows out', () => {
  expect(sorted(ranged(new Set(KEYS), KEYS, 'b', 'd'))).toEqual(['a', 'e']);
});

test('a row that is gone begins no range', () => {
  expect(sorted(ranged(new Set(['x']), KEYS, 'x', 'c'))).toEqual(['c', 'x']);
});

test('how much is selected', () => {
  expect(extent(new Set(), KEYS)).toBe('none');
  expect(extent(new Set(['c']), KEYS)).toBe('some');
  expect(extent(new Set(KEYS), KEYS)).toBe('all');
  expect(extent(new Set(['gone']), KEYS)).toBe('none');
  expect(extent(new Set(['gone']), [])).toBe('none');
});
