// Where an axis has its marks, and what stands at them.

import { locale, number } from '$/i18n';
import { clock, day, offset } from '$/time/show';
import { zone } from '$/time/zone';

export interface Tick {
  at: number;
  words: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 1440 * MINUTE;
const STEPS = [1, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800].map(
  (seconds) => seconds * SECOND,
);
/** Longer steps are months, which differ in length. */
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 600];

/** How far the chosen zone is ahead of UTC at a moment, in milliseconds. */
function ahead(at: number): number {
  const parts = /([+-])(\d{2}):(\d{2})/.exec(offset(at));
  if (!parts) return 0;
  const minutes = Number(parts[2]) * 60 + Number(parts[3]);
  return (parts[1] === '-' ? -minutes : minutes) * MINUTE;
}

/** Marks at round times of the chosen zone, at most `most` of them. */
export function timeTicks(from: number, to: number, most: number): Tick[] {
  if (!(to > from) || most < 1) return [];
  const step = STEPS.find((step) => (to - from) / step <= most);
  if (step === undefined) return monthTicks(from, to, most);
  const ticks: Tick[] = [];
  let before = '';
  const shift = ahead(from);
  for (let local = Math.ceil((from + shift) / step) * step; ; local += step) {
    // Where clocks change within the range, days still begin at midnight.
    const at = step >= DAY ? local - ahead(local - shift) : local - shift;
    if (at > to) return ticks;
    const today = day(at);
    const begins = step >= DAY || clock(at, { seconds: true }) === '00:00:00' || (before !== '' && today !== before);
    ticks.push({ at, words: begins ? today : clock(at, { seconds: step < MINUTE }) });
    before = today;
  }
}

/** Marks where months begin; January is named by its year. */
function monthTicks(from: number, to: number, most: number): Tick[] {
  const months = MONTHS.find((months) => (to - from) / (months * 30.5 * DAY) <= most) ?? 1200;
  const first = new Date(from + ahead(from));
  const ticks: Tick[] = [];
  for (let month = Math.floor((first.getUTCFullYear() * 12 + first.getUTCMonth()) / months) * months; ; month += months) {
    const local = Date.UTC(Math.floor(month / 12), month % 12);
    const at = local - ahead(local);
    if (at > to) return ticks;
    const part = month % 12 === 0 ? ({ year: 'numeric' } as const) : ({ month: 'short' } as const);
    if (at >= from) ticks.push({ at, words: new Intl.DateTimeFormat(locale(), { ...part, timeZone: zone() }).format(at) });
  }
}

/** Marks from 0 up to at least `max` at round values, at most four above 0. */
export function valueTicks(max: number, fraction = false): Tick[] {
  const top = max > 0 ? max : 1;
  const rough = top / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const round = [1, 2, 5, 10].map((part) => part * power).find((step) => step >= rough) ?? rough;
  const step = fraction ? round : Math.max(1, Math.round(round));
  const ticks: Tick[] = [];
  for (let index = 0; index * step < top + step && index <= 8; index += 1) {
    ticks.push({ at: index * step, words: figure(index * step) });
    if (index * step >= top) break;
  }
  return ticks;
}

/** A figure as it stands at an axis: `12K`. */
export function figure(value: number): string {
  return number(value, { notation: Math.abs(value) >= 10_000 ? 'compact' : 'standard', maximumFractionDigits: Math.abs(value) < 10 ? 2 : 1 });
}
