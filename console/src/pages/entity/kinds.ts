// How a host, a user or an address is found in the logs.

import { term } from '$/query/edit';
import type { EntityKind } from '$/ui/entity';

interface Described {
  /** The columns of the logs that name one. */
  columns: readonly string[];
  /** What is told of it: the most frequent values of these columns. */
  related: readonly string[];
}

export const DESCRIBED: Record<EntityKind, Described> = {
  host: { columns: ['host'], related: ['user', 'src_ip', 'program', 'kind'] },
  user: { columns: ['user', 'target_user'], related: ['host', 'src_ip', 'program', 'operation'] },
  ip: { columns: ['src_ip', 'dst_ip'], related: ['host', 'user', 'dst_port', 'kind'] },
};

/** What the values of a column are, where they have a page. */
export function kindOf(column: string): EntityKind | undefined {
  const kinds = Object.keys(DESCRIBED) as EntityKind[];
  return kinds.find((kind) => DESCRIBED[kind].columns.includes(column));
}

/** The filter of the logs for one of them. */
export function eventsOf(kind: EntityKind, name: string): string {
  return DESCRIBED[kind].columns.map((column) => term(column, name, 'in')).join(' or ');
}

/** The same as a condition in SQL. Names are compared in any case: alerts write them in small letters. */
export function sqlOf(kind: EntityKind, name: string): string {
  const text = `'${name.toLowerCase().replaceAll("'", "''")}'`;
  return DESCRIBED[kind].columns.map((column) => `lower(${column}) = ${text}`).join(' OR ');
}
