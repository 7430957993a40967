// What the logs say of a host, user or address, and what a person did here. Parts are fetched as one reads on towards the
// past.

import { api, data } from '$/api/client';
import { lines, type LogRow } from '$/api/lines';
import type { AuditRecord } from '$/api/schema';
import { may } from '$/state/me.svelte';
import { paged, type Paged, type Part } from '$/state/paged.svelte';
import { bounds, type Range } from '$/time/range';

/** What is shown of a record. */
export type ActRecord = Pick<AuditRecord, 'seq' | 'received' | 'operation' | 'reason' | 'result' | 'source'>;

const EVENTS = 200;
const RECORDS = 200;

/** Events of the logs that fit a filter; none is asked for while there is no filter. */
export function eventsOf(query: () => string | undefined, range: () => Range): Paged<LogRow> {
  return paged(() => {
    const filter = query();
    const { from, to } = range();
    if (filter === undefined || !may('log:search')) return undefined;
    return { key: JSON.stringify([filter, from, to]), run: (cursor, signal) => events({ query: filter, from, ...(to ? { to } : {}) }, cursor, signal) };
  });
}

/** What the person of that name did here, for whoever may read it. */
export function actsOf(name: () => string | undefined, range: () => Range): Paged<ActRecord> {
  return paged(() => {
    const person = name();
    const { from, to } = range();
    if (!person || !may('audit:list') || !may('person:list')) return undefined;
    return { key: JSON.stringify([person, from, to]), run: (cursor, signal) => records(person, { from, to }, cursor, signal) };
  });
}

/** Rows of the logs; the cursor is the last row. */
async function events(asked: object, cursor: string | undefined, signal: AbortSignal): Promise<Part<LogRow>> {
  const before: unknown = cursor === undefined ? undefined : JSON.parse(cursor);
  const items: LogRow[] = [];
  await lines('/api/v1/log/search', { ...asked, limit: EVENTS, before }, (rows) => items.push(...rows), signal);
  const last = items.at(-1);
  return { items, next: last && items.length === EVENTS ? JSON.stringify({ received: last.received, id: last.id }) : null };
}

async function records(name: string, range: Range, cursor: string | undefined, signal: AbortSignal): Promise<Part<ActRecord>> {
  const people = await data(api.GET('/api/v1/person', { params: { query: { text: name, limit: 100 } }, signal }));
  const person = people.items.find((each) => each.name.toLowerCase() === name.toLowerCase());
  const ends = bounds(range, Date.now());
  if (!person || !ends) return { items: [] };
  const { items, next } = await data(api.GET('/api/v1/audit', { params: { query: { actor: person.id, limit: RECORDS, cursor } }, signal }));
  const last = items.at(-1);
  const at = (record: ActRecord) => Date.parse(record.received);
  // The record goes on towards the past: behind the range nothing is looked for.
  return { items: items.filter((record) => at(record) >= ends.from && at(record) < ends.to), next: last && at(last) >= ends.from ? next : null };
}
