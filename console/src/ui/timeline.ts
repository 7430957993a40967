// Entries of a timeline, by day.

import { locale } from '$/i18n';
import { stamp } from '$/time/show';
import { zone } from '$/time/zone';

import type { IconName } from './icons';

export interface Entry {
  id: string;
  /** In milliseconds. */
  at: number;
  /** The name of its lane. */
  lane: string;
  title: string;
  detail?: string;
  /** The grade of an alert. */
  level?: string;
  /** Where it leads. */
  href?: string;
  /** What it does, where it leads nowhere. */
  run?: () => void;
}

export interface Lane {
  name: string;
  words: string;
  icon: IconName;
}

export interface Day {
  /** The date in the chosen zone: `2026-11-22`. */
  key: string;
  weekday: string;
  entries: Entry[];
}

/** The latest first, in days of the chosen zone. */
export function days(entries: readonly Entry[]): Day[] {
  const found: Day[] = [];
  const weekday = new Intl.DateTimeFormat(locale(), { weekday: 'long', timeZone: zone() });
  for (const entry of entries.toSorted((a, b) => b.at - a.at)) {
    const key = stamp(entry.at).slice(0, 10);
    let last = found.at(-1);
    if (last?.key !== key) found.push((last = { key, weekday: weekday.format(entry.at), entries: [] }));
    last.entries.push(entry);
  }
  return found;
}

/** How many entries there are in each of `count` equal parts of the time that they span. */
export function density(entries: readonly Entry[], count: number): { from: number; to: number; counts: number[] } {
  const times = entries.map(({ at }) => at);
  const from = times.reduce((least, at) => Math.min(least, at), Infinity);
  const to = times.reduce((most, at) => Math.max(most, at), -Infinity);
  const counts = Array.from({ length: count }, () => 0);
  const width = Math.max(1, to - from);
  for (const at of times) {
    const index = Math.min(count - 1, Math.floor(((at - from) / width) * count));
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return { from, to, counts };
}
