// The days of a source as a calendar: weeks side by side, days from Monday to Sunday. All days are those of UTC.

import type { CoveredDay } from '$/api/schema';
import { t } from '$/i18n';

const DAY = 86_400_000;

export interface CalendarDay {
  /** `2026-11-22`. */
  day: string;
  /** Absent before the source was made. */
  covered?: CoveredDay;
}

/** The day of a moment, in UTC. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** The weeks that end with a day, each from Monday on; days to come are left out. */
export function weeks(today: string, count: number, covered: readonly CoveredDay[]): CalendarDay[][] {
  const known = new Map(covered.map((day) => [day.day, day]));
  const last = Date.parse(`${today}T00:00:00Z`);
  const weekday = (new Date(last).getUTCDay() + 6) % 7;
  const monday = last - weekday * DAY - (count - 1) * 7 * DAY;
  return Array.from({ length: count }, (_, week) =>
    Array.from({ length: 7 }, (_, day) => monday + (week * 7 + day) * DAY)
      .filter((at) => at <= last)
      .map((at) => {
        const day = dayOf(at);
        const found = known.get(day);
        return found ? { day, covered: found } : { day };
      }),
  );
}

const REASONS: [RegExp, (found: readonly string[]) => string][] = [
  [/^refused (\d+) by (\w+)$/, ([, count, limit]) => t('sources.why_refused', { count: Number(count), limit: limit ?? '' })],
  [/^silent for (\d+) minutes$/, ([, minutes]) => t('sources.why_silent', { minutes: Number(minutes) })],
  [/^server down for (\d+) minutes$/, ([, minutes]) => t('sources.why_down', { minutes: Number(minutes) })],
  [/^(created|enabled|disabled) at (\d\d:\d\d)$/, ([, what, time]) => t(`sources.why_${what}`, { time: time ?? '' })],
  [/^unknown$/, () => t('sources.why_unknown')],
];

/** Why a day is not whole, in the language of the page; a reason that is not known stays as the server says it. */
export function reason(why: string): string {
  for (const [form, words] of REASONS) {
    const found = form.exec(why);
    if (found) return words(found);
  }
  return why;
}
