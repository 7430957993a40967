import { change, list } from '$/routing/router.svelte';
import { keep, kept } from '$/state/prefs.svelte';

import type { Column } from './table';

const NARROWEST = 48;
const WIDEST = 1600;
/** How far a key or a choice of a menu changes a width, in pixels. */
export const STEP = 24;
/** Of the column with the boxes, in pixels. */
export const SELECT = 40;

/** Which columns a table shows, in which order, how wide. The address goes before what the browser keeps. */
export class Columns<R> {
  private chosen = $state.raw<readonly string[]>([]);
  private widths = $state.raw<Readonly<Record<string, number>>>({});
  readonly shown: readonly Column<R>[] = $derived.by(() => pick(this.all(), this.own ? list('columns') : [], this.chosen));

  private readonly id: string;
  private readonly own: boolean;
  readonly all: () => readonly Column<R>[];

  /** `own`: the table is alone on its page, so the address may speak of its columns. */
  constructor(id: string, own: boolean, all: () => readonly Column<R>[]) {
    this.id = id;
    this.own = own;
    this.all = all;
    this.chosen = kept(`columns.${id}`, []);
    this.widths = kept(`widths.${id}`, {});
  }

  width(column: Column<R>): number {
    return this.widths[column.key] ?? column.width;
  }

  /** Shows these, in this order; none for those that the page would show by itself. */
  choose(keys: readonly string[]) {
    const usual = pick(this.all(), [], []).map(({ key }) => key);
    const chosen = keys.join() === usual.join() ? [] : keys;
    this.chosen = chosen;
    keep(`columns.${this.id}`, chosen);
    if (this.own) change({ columns: chosen });
  }

  resize(column: Column<R>, width: number) {
    this.widths = { ...this.widths, [column.key]: Math.round(Math.max(NARROWEST, Math.min(WIDEST, width))) };
    keep(`widths.${this.id}`, this.widths);
  }

  reset() {
    this.widths = {};
    keep(`widths.${this.id}`, {});
    this.choose([]);
  }
}

/** The columns that are shown: those of the address, else those that were chosen, else those that are not hidden. */
export function pick<R>(all: readonly Column<R>[], address: readonly string[], chosen: readonly string[]): readonly Column<R>[] {
  for (const keys of [address, chosen]) {
    const found = keys.map((key) => all.find((column) => column.key === key)).filter((column) => column !== undefined);
    if (found.length > 0) return [...new Set(found)];
  }
  return all.filter(({ hidden }) => !hidden);
}

// Widths are told for `cozy`; a wider or narrower edge of the cells changes them, and so does a greater font.
const size = (width: number) => `calc(${width / 16}rem + 2 * var(--cell-x) - 24px)`;

/** The tracks of the table's grid. */
export function tracks<R>(columns: readonly Column<R>[], width: (column: Column<R>) => number, selectable: boolean): string {
  const each = columns.map((column) => (column.grow ? `minmax(${size(width(column))}, ${column.grow}fr)` : size(width(column))));
  // Where no column takes the space that is left, an empty track does.
  if (!columns.some(({ grow }) => grow)) each.push('minmax(0, 1fr)');
  return [...(selectable ? [`${SELECT}px`] : []), ...each].join(' ');
}

/** How wide the table is at least. */
export function total<R>(columns: readonly Column<R>[], width: (column: Column<R>) => number, selectable: boolean): string {
  const sum = columns.reduce((sum, column) => sum + width(column), 0);
  return `calc(${sum / 16}rem + ${columns.length} * (2 * var(--cell-x) - 24px) + ${selectable ? SELECT : 0}px)`;
}
