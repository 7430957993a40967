// A row as it is kept in the table. An event may have a megabyte, and the table a hundred thousand of them: what is kept
// of each value is what can be shown in a cell. The whole of it is asked for when somebody opens the row.

import type { LogRow } from '$/api/lines';

/** The length of a value that is kept whole. */
export const KEPT = 1000;

export interface Hit {
  /** What tells it from all others. */
  key: string;
  row: LogRow;
  /** Names of the fields whose values go on. */
  cut: readonly string[];
}

/** An event of the logs. */
export function hit(row: LogRow): Hit {
  return short(row, String(row.id ?? ''));
}

/** A row of an answer to SQL, which has no id: its number in the answer. */
export function numbered(row: LogRow, number: number): Hit {
  return short(row, String(number));
}

function short(row: LogRow, key: string): Hit {
  const cut: string[] = [];
  for (const [name, value] of Object.entries(row)) {
    if (typeof value !== 'string' || value.length <= KEPT) continue;
    cut.push(name);
    row[name] = copied(value.slice(0, KEPT));
  }
  return { key, row, cut };
}

/** A part of a text keeps all of it in memory, unless it is written anew. */
function copied(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}

/** A value as text; nothing where there is none. */
export function value(row: LogRow, name: string): string {
  const found = row[name];
  if (found === undefined || found === null) return '';
  return typeof found === 'object' ? JSON.stringify(found) : String(found);
}

/** Where the next rows begin: behind this one, the latest first. */
export function place(last: Hit | undefined): { received: string; id: number } | undefined {
  const { received, id } = last?.row ?? {};
  return typeof received === 'string' && typeof id === 'number' ? { received, id } : undefined;
}
