// The columns of the table: those of the logs, or those of an answer to SQL.

import type { DescribedColumn } from '$/api/schema';
import { has, t } from '$/i18n';
import { stamp } from '$/time/show';
import type { CellValue, Column } from '$/ui/table';

import { value, type Hit } from './hit';

/** Shown where nobody chose others. */
const SHOWN = ['received', 'host', 'user', 'src_ip', 'raw', 'kind', 'claimed'];
/** Their order: what says most first. */
const FIRST = [...SHOWN, 'source', 'program', 'target_user', 'dst_ip', 'cmd_line', 'process', 'url', 'status', 'status_code'];
const WIDE = new Set(['raw', 'cmd_line', 'url', 'process', 'parent', 'file', 'registry', 'user_agent', 'node']);

/** The title of a column: in words for what every event has, else the name of the field, which one writes in filters. */
export function title(name: string): string {
  const key = `search.column_${name}`;
  return has(key) ? t(key) : name;
}

/** What a cell stands for. */
export function cellValue(name: string, text: string): CellValue | undefined {
  return text === '' ? undefined : { field: name, value: text };
}

/** Columns in the order in which somebody looks for them. */
export function ordered(described: readonly DescribedColumn[]): DescribedColumn[] {
  const rank = (name: string) => (FIRST.indexOf(name) + 1 || FIRST.length + 1);
  return described.toSorted((a, b) => rank(a.name) - rank(b.name));
}

/** The columns of the logs. */
export function logColumns(described: readonly DescribedColumn[]): Column<Hit>[] {
  return ordered(described).map(({ name, kind }) => ({
    key: name,
    title: title(name),
    width: kind === 'time' ? 196 : name === 'host' || name === 'user' ? 104 : name === 'raw' ? 360 : WIDE.has(name) ? 220 : name.endsWith('_ip') ? 144 : 120,
    ...(name === 'raw' ? { grow: 1 } : {}),
    ...(kind === 'number' ? { align: 'end' as const } : {}),
    mono: kind !== 'time' && name !== 'kind' && name !== 'format',
    hidden: !SHOWN.includes(name),
    group: kind === 'text' && name !== 'raw',
    text: (hit) => (kind === 'time' ? when(value(hit.row, name)) : value(hit.row, name)),
    exported: (hit) => value(hit.row, name),
    value: (hit) => (name === 'raw' || hit.cut.includes(name) ? undefined : cellValue(name, value(hit.row, name))),
  }));
}

function when(text: string): string {
  return text === '' ? '' : stamp(text, { millis: true });
}

/** The columns of an answer: those of its rows, in their order. */
export function answerColumns(hits: readonly Hit[], known: ReadonlySet<string>): Column<Hit>[] {
  const names = [...new Set(hits.slice(0, 100).flatMap(({ row }) => Object.keys(row)))];
  return names.map((name) => {
    const isNumber = hits.slice(0, 100).every(({ row }) => typeof row[name] === 'number' || row[name] === null);
    return {
      key: name,
      title: name,
      width: WIDE.has(name) ? 320 : 150,
      grow: 1,
      mono: !isNumber,
      ...(isNumber ? { align: 'end' as const } : {}),
      sort: true,
      order: (hit) => (isNumber ? Number(hit.row[name] ?? Number.NEGATIVE_INFINITY) : value(hit.row, name)),
      text: (hit) => value(hit.row, name),
        value: (hit) => (known.has(name) && !hit.cut.includes(name) ? cellValue(name, value(hit.row, name)) : undefined),
    };
  });
}
