// The entries of the one timeline.

import type { LogRow } from '$/api/lines';
import type { Alert } from '$/api/schema';
import { t } from '$/i18n';
import { term } from '$/query/edit';
import { href } from '$/routing/router.svelte';
import { between, span } from '$/time/range';
import { cut } from '$/ui/safe';
import type { Entry, Lane } from '$/ui/timeline';

import { grouped, seen, type Grouped } from './events';
import type { ActRecord } from './past.svelte';

/** How much of a line is shown in the timeline. */
const SHOWN = 300;

/** The lanes; what a person did here is known of people only. */
export function lanes(acts: boolean): Lane[] {
  const all: Lane[] = [
    { name: 'alert', words: t('entity.lane_alert'), icon: 'alert' },
    { name: 'login', words: t('entity.lane_login'), icon: 'key' },
    { name: 'event', words: t('entity.lane_event'), icon: 'source' },
  ];
  return acts ? [...all, { name: 'act', words: t('entity.lane_act'), icon: 'record' }] : all;
}

export interface Known {
  alerts: readonly Alert[];
  events: readonly LogRow[];
  records: readonly ActRecord[];
}

/** Entries, in no order. `query` and `range` find the events in the logs. */
export function entries({ alerts, events, records }: Known, query: string, range: { from: string; to: string }): Entry[] {
  const moments = [...alerts.map(({ last_seen }) => Date.parse(last_seen)), ...records.map(({ received }) => Date.parse(received))];
  return [
    ...alerts.map(ofAlert),
    ...grouped(events.map(seen), moments).map((group) => ofEvents(group, query, range)),
    ...records.map(ofRecord),
  ];
}

function ofAlert(alert: Alert): Entry {
  return {
    id: alert.id,
    at: Date.parse(alert.last_seen),
    lane: 'alert',
    level: alert.level,
    title: alert.title,
    detail: t(`entity.alert_${alert.state}`, { count: alert.count }),
    href: `/alerts/${alert.id}`,
  };
}

function ofEvents(group: Grouped, query: string, range: { from: string; to: string }): Entry {
  const { id, at, since, lane, what, count, raw } = group;
  return {
    id: `event ${id}`,
    at,
    lane,
    title: count === 1 ? what : t('entity.events_of', { what, count, span: span(at - since) }),
    detail: cut(raw, SHOWN),
    href: searchFor(group, query, range),
  };
}

function ofRecord(record: ActRecord): Entry {
  return { id: `record ${record.seq}`, at: Date.parse(record.received), lane: 'act', title: record.operation, detail: record.reason, href: `/audit/${record.seq}` };
}

/** The search for the events of a group. Logs are searched by when they came; what they claim may lie long before. */
export function searchFor(group: Grouped, query: string, range: { from: string; to: string }): string {
  if (group.count === 1) return href('/search', { query: term('id', group.id, 'in'), ...range });
  const times = between(group.since, group.at + 1);
  if (!group.claimed) return href('/search', { query, ...times });
  return href('/search', { query: `(${query}) claimed>=${times.from} claimed<=${times.to}`, ...range });
}
