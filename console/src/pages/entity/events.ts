// Log events as entries of a timeline: what is alike and close together is one entry, so that a noisy program hides nothing.

import type { LogRow } from '$/api/lines';

export type EventLane = 'login' | 'event';

export interface Seen {
  id: string;
  /** In milliseconds. */
  at: number;
  /** The time is the one that the event claims, and not ours. */
  claimed: boolean;
  lane: EventLane;
  /** What they have in common: the program or the kind. */
  what: string;
  raw: string;
}

export interface Grouped {
  id: string;
  /** Of the latest. */
  at: number;
  /** Of the earliest. */
  since: number;
  claimed: boolean;
  lane: EventLane;
  what: string;
  /** The latest, as it came in. */
  raw: string;
  count: number;
}

/** How far the events of one entry lie apart at most, in milliseconds. */
const CLOSE = 60_000;
/** What a clock may be ahead of ours before it is taken for wrong, and how far behind. */
const AHEAD = 300_000;
const BEHIND = 366 * 86_400_000;
const LOGINS = new Set(['sshd', 'pam', 'sudo', 'su', 'login', 'systemd-logind']);

const text = (row: LogRow, name: string) => (typeof row[name] === 'string' ? row[name] : '');

/** When an event was: as it claims, unless its sender's clock is wrong. */
function time(row: LogRow): { at: number; claimed: boolean } {
  const received = Date.parse(text(row, 'received'));
  const told = Date.parse(text(row, 'claimed'));
  const late = received - told;
  const claimed = late >= -AHEAD && late <= BEHIND;
  return { at: claimed ? told : received, claimed };
}

/** A row of the logs. */
export function seen(row: LogRow): Seen {
  const kind = text(row, 'kind');
  const isLogin = LOGINS.has(kind) && text(row, 'user') !== '';
  return {
    id: String(row.id ?? ''),
    ...time(row),
    lane: isLogin ? 'login' : 'event',
    what: text(row, 'program') || kind || text(row, 'source'),
    raw: text(row, 'raw'),
  };
}

/** The latest first. `others` are the moments of everything else: an entry does not reach across one. */
export function grouped(events: readonly Seen[], others: readonly number[] = []): Grouped[] {
  const found: Grouped[] = [];
  const open = new Map<string, Grouped>();
  const marks = others.toSorted((a, b) => b - a);
  let mark = 0;
  for (const event of events.toSorted((a, b) => b.at - a.at)) {
    while (mark < marks.length && (marks[mark] ?? 0) > event.at) {
      mark += 1;
      open.clear();
    }
    const key = `${event.lane} ${event.claimed} ${event.what}`;
    const group = open.get(key);
    if (group && group.since - event.at <= CLOSE) {
      group.since = event.at;
      group.count += 1;
    } else {
      const next = { ...event, since: event.at, count: 1 };
      open.set(key, next);
      found.push(next);
    }
  }
  return found;
}
