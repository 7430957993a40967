import { beforeEach, describe, expect, test } from 'vitest';

import { prefs } from '$/state/prefs.svelte';

import { clock, date, day, long, offset, relative, stamp } from './show';

const AT = '2026-01-31T22:03:07.042Z';

beforeEach(() => {
  prefs.zone = 'UTC';
});

describe('in UTC', () => {
  test('a stamp has one form', () => {
    expect(stamp(AT)).toBe('2026-01-31 22:03:07');
    expect(stamp(AT, { millis: true })).toBe('2026-01-31 22:03:07.042');
    expect(stamp(AT, { minutes: true })).toBe('2026-01-31 22:03');
    expect(stamp('2026-01-31T00:00:00Z')).toBe('2026-01-31 00:00:00');
  });

  test('parts of it', () => {
    expect([clock(AT), clock(AT, { seconds: true }), day(AT)]).toEqual(['22:03', '22:03:07', 'Jan 31']);
    expect(offset(AT)).toMatch(/^UTC(\+00:00)?$/);
    expect(long(AT)).toContain('22:03:07');
  });
});

test('in another zone it is another day', () => {
  prefs.zone = 'Asia/Shanghai';
  expect([stamp(AT), day(AT), offset(AT)]).toEqual(['2026-02-01 06:03:07', 'Feb 1', 'UTC+08:00']);
});

test('the offset is that of the moment', () => {
  prefs.zone = 'Europe/Berlin';
  expect([offset('2026-01-01T00:00:00Z'), offset('2026-07-01T00:00:00Z')]).toEqual(['UTC+01:00', 'UTC+02:00']);
});

test('what is no time shows as it is', () => {
  expect(date('soon')).toBeUndefined();
  expect([stamp('soon'), long('soon'), clock('soon'), day('soon'), relative('soon', 0)]).toEqual(['soon', 'soon', 'soon', 'soon', 'soon']);
});

test.each([
  [-200_000, '3 min. ago'],
  [-3_600_000, '1 hr. ago'],
  [-86_400_000, 'yesterday'],
  [7_300_000, 'in 2 hr.'],
  [0, 'now'],
])('%i milliseconds away is %s', (away, expected) => expect(relative(1e12 + away, 1e12)).toBe(expected));
