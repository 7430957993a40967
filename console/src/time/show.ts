import { locale } from '$/i18n';

import { zone } from './zone';

export type Moment = string | number | Date;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const full = { hourCycle: 'h23', timeZone: zone(), ...options } as const;
  const key = `${locale()}${JSON.stringify(full)}`;
  let made = formats.get(key);
  if (!made) formats.set(key, (made = new Intl.DateTimeFormat(locale(), full)));
  return made;
}

/** A moment as a date, or nothing where the text is none. */
export function date(at: Moment): Date | undefined {
  const made = at instanceof Date ? at : new Date(at);
  return Number.isNaN(made.getTime()) ? undefined : made;
}

/** `2026-11-22 14:03:07`, in the chosen zone: for tables, where all rows have the same form. To the millisecond or the minute where asked for. */
export function stamp(at: Moment, { millis = false, minutes = false } = {}): string {
  const moment = date(at);
  if (!moment) return String(at);
  const parts = new Map(
    format({
      year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3,
    })
      .formatToParts(moment)
      .map(({ type, value }) => [type, value]),
  );
  const day = `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
  const time = `${day} ${parts.get('hour')}:${parts.get('minute')}`;
  if (minutes) return time;
  return `${time}:${parts.get('second')}${millis ? `.${parts.get('fractionalSecond')}` : ''}`;
}

/** In words of the language, to the second, with the zone: for headings and titles. */
export function long(at: Moment): string {
  const moment = date(at);
  return moment ? format({ dateStyle: 'medium', timeStyle: 'medium' }).format(moment) : String(at);
}

/** Only the time, for axes and dense rows of one day. */
export function clock(at: Moment, { seconds = false } = {}): string {
  const moment = date(at);
  const second = seconds ? { second: '2-digit' as const } : {};
  return moment ? format({ hour: '2-digit', minute: '2-digit', ...second }).format(moment) : String(at);
}

/** Only the day. */
export function day(at: Moment): string {
  const moment = date(at);
  return moment ? format({ month: 'short', day: 'numeric' }).format(moment) : String(at);
}

/** The offset of the chosen zone at a moment, such as `UTC+08:00`. */
export function offset(at: Moment = Date.now()): string {
  const moment = date(at) ?? new Date();
  const parts = format({ timeZoneName: 'longOffset' }).formatToParts(moment);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  return name === 'GMT' ? 'UTC' : name.replace('GMT', 'UTC');
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

/** How long ago, or in how long: `3 min. ago`. */
export function relative(at: Moment, now: number): string {
  const moment = date(at);
  if (!moment) return String(at);
  const away = moment.getTime() - now;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(away) >= size) ?? ['second', 1000];
  return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto', style: 'short' }).format(Math.trunc(away / size), unit);
}
