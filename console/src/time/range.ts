// A range of time as it stands in the address: `from` and `to` are how long ago (`15m`, `24h`, `7d`) or a moment
// (RFC 3339). `to` is empty for now.

import { number, t } from '$/i18n';

import { stamp } from './show';

export interface Range {
  from: string;
  to: string;
}

const AGO = /^(\d{1,6})(s|m|h|d|w)$/;
const SIZE = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** What is offered. */
export const OFFERED = ['15m', '1h', '4h', '24h', '7d', '30d'] as const;

/** When it is, in milliseconds; nothing where the text says no time. */
export function moment(text: string, now: number): number | undefined {
  if (text === '' || text === 'now') return now;
  const ago = AGO.exec(text);
  if (ago) return now - Number(ago[1]) * SIZE[ago[2] as keyof typeof SIZE];
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** The range in milliseconds; nothing where it is none. */
export function bounds(range: Range, now: number): { from: number; to: number } | undefined {
  const from = moment(range.from, now);
  const to = moment(range.to, now);
  return from === undefined || to === undefined || from >= to ? undefined : { from, to };
}

/** Both ends as moments, for who gets the address later: a view that somebody shares does not move on. */
export function fixed(range: Range, now: number): Range {
  const ends = bounds(range, now);
  return ends ? between(ends.from, ends.to) : range;
}

/** The range between two moments in milliseconds. */
export function between(from: number, to: number): Range {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** The range in words. */
export function words(range: Range): string {
  const ago = AGO.exec(range.from);
  if (ago && range.to === '') return t('time.last', { count: Number(ago[1]), unit: ago[2] });
  const end = (text: string) => (text === '' ? t('time.now') : AGO.test(text) ? t('time.ago', { text }) : stamp(text));
  return t('time.between', { from: end(range.from), to: end(range.to) });
}

/** A length of time in milliseconds, with one unit: `340 ms`, `12 s`, `4 min`. */
export function span(millis: number): string {
  const [unit, size] =
    millis < 1000 ? (['millisecond', 1] as const)
    : millis < 120_000 ? (['second', 1000] as const)
    : millis < 7_200_000 ? (['minute', 60_000] as const)
    : millis < 172_800_000 ? (['hour', 3_600_000] as const)
    : (['day', 86_400_000] as const);
  return number(millis / size, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: millis < 10_000 && size > 1 ? 1 : 0 });
}
