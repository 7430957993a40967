import { moment } from '$/time/range';
import { stamp } from '$/time/show';

const LOCAL = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(:\d{2}(?:\.\d{1,3})?)?)?$/;

/** How far the chosen zone is ahead of UTC at a moment, in milliseconds. */
function ahead(at: number): number {
  return Date.parse(`${stamp(at, { millis: true }).replace(' ', 'T')}Z`) - at;
}

/** A time as it is shown, for a field in which it can be changed. */
export function shown(text: string): string {
  return text.includes('T') ? stamp(text) : text;
}

/**
 * What was typed, as it stands in the address: how long ago, or a moment. A date without an offset is meant in the chosen
 * zone. Nothing where it says no time; the empty text is now.
 */
export function typed(text: string, now: number): string | undefined {
  const given = text.trim();
  if (given === '' || given === 'now') return '';
  const local = LOCAL.exec(given);
  if (!local) return moment(given, now) === undefined ? undefined : given;
  const utc = Date.parse(`${local[1]}T${local[2] ?? '00:00'}${local[3] ?? ':00'}Z`);
  if (Number.isNaN(utc)) return undefined;
  // The first guess may lie beyond a change of clocks, the second does not.
  const guess = utc - ahead(utc);
  return new Date(utc - ahead(guess)).toISOString();
}
