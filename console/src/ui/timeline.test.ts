import { beforeEach, expect, test } from 'vitest';

import { prefs } from '$/state/prefs.svelte';

import { days, density, type Entry } from './timeline';

beforeEach(() => {
  prefs.zone = 'UTC';
});

const entry = (id: string, at: string): Entry => ({ id, at: Date.parse(at), lane: 'alert', title: id });

test('entries stand by day, the latest first', () => {
  const entries = [entry('a', '2026-01-30T10:00:00Z'), entry('b', '2026-01-31T01:00:00Z'), entry('c', '2026-01-31T23:00:00Z')];
  const found = (zone: string) => {
    prefs.zone = zone;
    return days(entries).map(({ key, weekday, entries }) => `${key} ${weekday}: ${entries.map(({ id }) => id).join(' ')}`);
  };
  expect(found('UTC')).toEqual(['2026-01-31 Saturday: c b', '2026-01-30 Friday: a']);
  expect(found('Asia/Shanghai')).toEqual(['2026-02-01 Sunday: c', '2026-01-31 Saturday: b', '2026-01-30 Friday: a']);
  expect(days([])).toEqual([]);
});

test('density counts every entry once', () => {
  const entries = [entry('a', '2026-01-01T00:00:00Z'), entry('b', '2026-01-01T00:10:00Z'), entry('c', '2026-01-01T01:40:00Z')];
  expect(density(entries, 4).counts).toEqual([2, 0, 0, 1]);
  expect(density(entries.slice(0, 1), 3).counts).toEqual([1, 0, 0]);
});
