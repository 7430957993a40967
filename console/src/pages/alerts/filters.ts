// What the page of alerts shows, as its address says it.

import type { Alert, CloseReason, paths } from '$/api/schema';
import { moment } from '$/time/range';
import { LEVELS, type Level } from '$/ui/levels';

export type AlertQuery = NonNullable<paths['/api/v1/alert']['get']['parameters']['query']>;

/** Why alerts are closed. */
export const REASONS: readonly CloseReason[] = ['true_positive', 'false_positive', 'benign', 'duplicate'];

/** What the state may be narrowed to. Nothing in the address is `active`: what somebody has still to do. */
export const SEGMENTS = ['active', 'open', 'acknowledged', 'closed', 'all'] as const;
export type Segment = (typeof SEGMENTS)[number];

export interface Filters {
  query: string;
  state: Segment;
  levels: readonly Level[];
  /** `me`, `nobody`, or an actor's id; empty for whoever. */
  assignee: string;
  /** Of the service tree. */
  node: string;
  rule: string;
  entity: string;
  from: string;
  to: string;
}

/** Those that narrow, and can be taken away one by one. */
export type Name = keyof Filters;

const STATES: Record<Segment, string | undefined> = {
  active: 'open,acknowledged',
  open: 'open',
  acknowledged: 'acknowledged',
  closed: 'closed',
  all: undefined,
};

/** The filters in the parameters of an address. What is none is taken for nothing said. */
export function read(params: URLSearchParams): Filters {
  const text = (name: string) => params.get(name) ?? '';
  const levels = text('levels').split(',');
  return {
    query: text('query'),
    state: SEGMENTS.find((segment) => segment === text('state')) ?? 'active',
    levels: LEVELS.filter((level) => levels.includes(level)),
    assignee: text('assignee'),
    node: text('node'),
    rule: text('rule'),
    entity: text('entity'),
    from: text('from'),
    to: text('to'),
  };
}

/** What the server is asked. What is no time is left as it is, so that the server says so. */
export function asked(filters: Filters, now = Date.now()): AlertQuery {
  const at = (text: string) => {
    const found = text === '' ? undefined : moment(text, now);
    return found === undefined ? text || undefined : new Date(found).toISOString();
  };
  return {
    query: filters.query || undefined,
    state: STATES[filters.state],
    levels: filters.levels.join(',') || undefined,
    assignee: filters.assignee || undefined,
    node: filters.node || undefined,
    rule: filters.rule || undefined,
    entity: filters.entity || undefined,
    from: at(filters.from),
    to: at(filters.to),
  };
}

/** The filters that may hide something. Showing only what is not closed is one, too. */
export function narrowing(filters: Filters): Name[] {
  const names: Name[] = ['query', 'levels', 'assignee', 'rule', 'entity', 'node'];
  const set = names.filter((name) => filters[name].length > 0);
  if (filters.from || filters.to) set.push('from');
  if (filters.state !== 'all') set.push('state');
  return set;
}

/** The filters without one of them. */
export function without(filters: Filters, name: Name): Filters {
  if (name === 'state') return { ...filters, state: 'all' };
  if (name === 'levels') return { ...filters, levels: [] };
  if (name === 'from') return { ...filters, from: '', to: '' };
  return { ...filters, [name]: '' };
}

/** The parameters of the address for filters. */
export function params(filters: Filters): Record<Name, string> {
  return { ...filters, state: filters.state === 'active' ? '' : filters.state, levels: filters.levels.join(',') };
}

/** Whether an alert that was changed still has a state that is shown. */
export function hasState(alert: Alert, segment: Segment): boolean {
  return STATES[segment]?.split(',').includes(alert.state) ?? true;
}
