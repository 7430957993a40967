// The grades of an alert, in the server's words, and how they look.

import { t } from '$/i18n';

/** Least severe first: the order of `AlertSummary.buckets[].levels`. */
export const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export type Level = (typeof LEVELS)[number];

const TOKENS: Record<Level, Color> = { informational: 'sev-0', low: 'sev-4', medium: 'sev-3', high: 'sev-2', critical: 'sev-1' };

/** A colour of the tokens for a series. Those of severity only where the series is severity. */
export type Color =
  | `chart-${1 | 2 | 3 | 4 | 5 | 6 | 7}`
  | `sev-${0 | 1 | 2 | 3 | 4}`
  | 'rest';

/** Whether a text is one of the grades. */
export function isLevel(text: string): text is Level {
  return (LEVELS as readonly string[]).includes(text);
}

/** The name of a grade. What the server calls a grade and is none that is known shows as it is. */
export function levelWords(level: string): string {
  return isLevel(level) ? t(`chart.level_${level}`) : level;
}

/** The colour of a grade. */
export function levelColor(level: string): Color {
  return isLevel(level) ? TOKENS[level] : 'sev-0';
}

/** The value of a colour in CSS. */
export function ink(color: Color): string {
  if (color === 'rest') return 'var(--text-3)';
  return color.startsWith('sev-') ? `var(--${color}-solid)` : `var(--${color})`;
}

/** A series for each grade, least severe first, for `Histogram`. */
export function levelSeries(): { name: Level; words: string; color: Color }[] {
  return LEVELS.map((level) => ({ name: level, words: levelWords(level), color: levelColor(level) }));
}
