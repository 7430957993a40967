import { describe, expect, test } from 'vitest';

import { prefs } from '$/state/prefs.svelte';

import { shown, typed } from './typed';

const NOW = Date.UTC(2026, 0, 31, 12);

function at(zone: string, text: string) {
  prefs.zone = zone;
  return typed(text, NOW);
}

test.each([
  ['UTC', '2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['UTC', ' 2026-01-31 14:00 ', '2026-01-31T14:00:00.000Z'],
  ['Asia/Shanghai', '2026-01-31 14:00:05', '2026-01-31T06:00:05.000Z'],
  ['Asia/Shanghai', '2026-01-31T14:00:00Z', '2026-01-31T14:00:00Z'],
  ['America/New_York', '2026-03-08 01:30', '2026-03-08T06:30:00.000Z'],
  ['America/New_York', '2026-03-08 03:30', '2026-03-08T07:30:00.000Z'],
  ['UTC', '24h', '24h'],
  ['UTC', '', ''],
  ['UTC', 'now', ''],
])('in %s, %s is %s', (zone, text, expected) => expect(at(zone, text)).toBe(expected));

test.each(['yesterday', '2026-02-30x', '14:00', '2026-13-01', '2026-01-31 25:00'])('%s is no time', (text) => expect(at('UTC', text)).toBeUndefined());

describe('what is shown can be typed again', () => {
  test.each(['UTC', 'Asia/Kolkata', 'America/New_York'])('in %s', (zone) => {
    prefs.zone = zone;
    expect(typed(shown('2026-07-01T03:04:05.000Z'), NOW)).toBe('2026-07-01T03:04:05.000Z');
    expect(shown('24h')).toBe('24h');
  });
});
