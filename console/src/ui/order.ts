import type { Column, Sort } from './table';

/** `-level` for the order by level, the greatest first. */
export function written(sort: Sort): string {
  return `${sort.down ? '-' : ''}${sort.key}`;
}

/** The order that an address tells; nothing where it tells none. */
export function read(text: string): Sort | undefined {
  const key = text.replace(/^-/, '');
  return key ? { key, down: text.startsWith('-') } : undefined;
}

/** What a click on the head of a column asks for: figures the greatest first; a second click turns it around. */
export function clicked<R>(column: Column<R>, sort: Sort | undefined): Sort {
  if (sort?.key === column.key) return { key: column.key, down: !sort.down };
  return { key: column.key, down: column.align === 'end' };
}

/** The rows in order. Rows that are equal stay as they came. */
export function ordered<R>(rows: readonly R[], columns: readonly Column<R>[], sort: Sort | undefined, locale: string): readonly R[] {
  const column = sort && columns.find(({ key }) => key === sort.key);
  if (!column) return rows;
  const of = column.order ?? column.text;
  const collator = new Intl.Collator(locale, { numeric: true, sensitivity: 'base' });
  const sign = sort.down ? -1 : 1;
  const compare = (a: number | string, b: number | string) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
  return rows
    .map((row) => ({ row, by: of(row) }))
    .sort((a, b) => sign * compare(a.by, b.by))
    .map(({ row }) => row);
}
