import { beforeAll, describe, expect, test, vi } from 'vitest';

import { load } from '$/i18n';
import { prefs } from '$/state/prefs.svelte';

import { between, bounds, fixed, moment, span, words } from './range';

const NOW = Date.UTC(2026, 0, 31, 12);

beforeAll(async () => {
  vi.stubGlobal('document', { documentElement: { lang: '' } });
  await load('en');
  prefs.zone = 'UTC';
});

describe('a moment', () => {
  test.each([
    ['', 0],
    ['now', 0],
    ['15m', -900_000],
    ['24h', -86_400_000],
    ['2w', -1_209_600_000],
    ['2026-01-31T11:59:58Z', -2000],
    ['2026-01-31T13:00:00+02:00', -3_600_000],
  ])('%s', (text, away) => expect(moment(text, NOW)).toBe(NOW + away));

  test.each(['yesterday', '15', 'm', '-5m', '1.5h', '12345678s', '2026-13-01', '5M', ' '])('%s is none', (text) =>
    expect(moment(text, NOW)).toBeUndefined(),
  );
});

describe('a range', () => {
  test('has both its ends', () => {
    expect(bounds({ from: '1h', to: '' }, NOW)).toEqual({ from: NOW - 3_600_000, to: NOW });
    expect(bounds({ from: '2h', to: '1h' }, NOW)).toEqual({ from: NOW - 7_200_000, to: NOW - 3_600_000 });
  });

  test('that ends before it begins, or has an end that is no time, is none', () => {
    expect(bounds({ from: '1h', to: '2h' }, NOW)).toBeUndefined();
    expect(bounds({ from: '1h', to: '1h' }, NOW)).toBeUndefined();
    expect(bounds({ from: 'x', to: '' }, NOW)).toBeUndefined();
  });

  test('that is fixed does not move on', () => {
    const kept = fixed({ from: '1h', to: '' }, NOW);
    expect(kept).toEqual({ from: '2026-01-31T11:00:00.000Z', to: '2026-01-31T12:00:00.000Z' });
    expect(bounds(kept, NOW + 86_400_000)).toEqual(bounds({ from: '1h', to: '' }, NOW));
    expect(fixed({ from: 'x', to: '' }, NOW)).toEqual({ from: 'x', to: '' });
    expect(between(NOW, NOW + 1)).toEqual({ from: '2026-01-31T12:00:00.000Z', to: '2026-01-31T12:00:00.001Z' });
  });

  test.each([
    [{ from: '1h', to: '' }, 'Last hour'],
    [{ from: '15m', to: '' }, 'Last 15 minutes'],
    [{ from: '2h', to: '1h' }, '2h ago to 1h ago'],
    [{ from: '2026-01-31T11:00:00Z', to: '' }, '2026-01-31 11:00:00 to now'],
  ])('in words: %o', (range, expected) => expect(words(range)).toBe(expected));
});

test.each([
  [340, '340 ms'],
  [1500, '1.5 sec'],
  [12_000, '12 sec'],
  [240_000, '4 min'],
  [10_800_000, '3 hr'],
  [259_200_000, '3 days'],
])('%i milliseconds are %s', (millis, expected) => expect(span(millis)).toBe(expected));
