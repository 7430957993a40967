import { beforeEach, describe, expect, test } from 'vitest';

import { prefs } from '$/state/prefs.svelte';

import { timeTicks, valueTicks } from './ticks';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 31);

beforeEach(() => {
  prefs.zone = 'UTC';
});

const words = (from: number, to: number, most: number) => timeTicks(from, to, most).map(({ words }) => words);

describe('marks of time', () => {
  test('stand at round times, midnight is the day', () => {
    expect(words(START - HOUR, START + HOUR, 4)).toEqual(['23:00', '23:30', 'Jan 31', '00:30', '01:00']);
    expect(words(START, START + 30_000, 3)).toEqual(['Jan 31', '00:00:10', '00:00:20', '00:00:30']);
    expect(words(START, START + 72 * HOUR, 3)).toEqual(['Jan 31', 'Feb 1', 'Feb 2', 'Feb 3']);
  });

  test('are round in the chosen zone', () => {
    prefs.zone = 'Asia/Kolkata';
    expect(words(START, START + 12 * HOUR, 4)).toEqual(['06:00', '09:00', '12:00', '15:00']);
  });

  test('days begin at midnight also where clocks change', () => {
    prefs.zone = 'Europe/Berlin';
    const from = Date.UTC(2026, 2, 27, 23);
    expect(timeTicks(from, from + 95 * HOUR, 4).map(({ at }) => (at - from) / HOUR)).toEqual([0, 24, 47, 71, 95]);
  });

  test('of long times are months and years', () => {
    expect(words(Date.UTC(2025, 9, 15), Date.UTC(2026, 3, 15), 8)).toEqual(['Nov', 'Dec', '2026', 'Feb', 'Mar', 'Apr']);
    expect(words(Date.UTC(2020, 5), Date.UTC(2026, 5), 6)).toEqual(['2021', '2022', '2023', '2024', '2025', '2026']);
  });

  test('are none where there is no time', () => {
    expect(timeTicks(5, 5, 4)).toEqual([]);
    expect(timeTicks(0, Number.NaN, 4)).toEqual([]);
  });
});

test.each([
  [0, ['0', '1']],
  [1, ['0', '1']],
  [11, ['0', '5', '10', '15']],
  [600, ['0', '200', '400', '600']],
  [1_250_000, ['0', '500K', '1M', '1.5M']],
])('marks up to %i', (most, expected) => expect(valueTicks(most).map(({ words }) => words)).toEqual(expected));

test('marks of small fractions', () => expect(valueTicks(0.7, true).map(({ words }) => words)).toEqual(['0', '0.2', '0.4', '0.6', '0.8']));
