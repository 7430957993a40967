// What a table shows and where one is in it: the order, the groups, the window of lines, the cell that one is at.

import { tick, untrack } from 'svelte';

import { locale } from '$/i18n';
import { change, param } from '$/routing/router.svelte';
import { prefs } from '$/state/prefs.svelte';

import { Columns, SELECT, total, tracks } from './columns.svelte';
import { find, grouped, plain, refill, reveal, settled, wanted, window as inView, type Group, type Slot } from './lines';
import { clicked, ordered, read, written } from './order';
import { extent, ranged, toggled } from './selection';
import type { Column, Sort } from './table';

/** What the page gives, as it is at the moment. */
export interface Given<R> {
  readonly id: string;
  readonly columns: readonly Column<R>[];
  readonly rows: readonly R[];
  readonly rowKey: (row: R) => string;
  readonly selectable: boolean;
  readonly groupBy: string | undefined;
  readonly plain: boolean;
  readonly sort: Sort | undefined;
  readonly onSort: ((sort: Sort) => void) | undefined;
  cursor: string;
  selected: ReadonlySet<string>;
}

/** Where a cell is. The head is line -1. */
export interface Place {
  line: number;
  column: number;
  cell: HTMLElement;
}

/** The height of a line where no style tells it, in pixels. */
const LINE = 36;
/** How long nothing is scrolled until it rests, in milliseconds. */
const REST = 150;
/** Who drags the bar goes many pages in each frame and reads none of them: so often, in milliseconds, they are drawn. */
const FLYING = 120;

export class Grid<R> {
  private readonly given: Given<R>;
  element = $state<HTMLElement>();
  /** How far it is scrolled, and how high it is, in pixels. */
  top = $state(0);
  height = $state(0);
  line = $state(0);
  column = $state(0);
  private isScrolling = $state(false);
  private isFlying = $state(false);
  private drawnAt = 0;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private slots: readonly Slot[] = [];
  private closed = $state.raw<ReadonlySet<string>>(new Set());
  private ownSort = $state.raw<Sort>();
  private lastSelected = '';
  private stop: HTMLElement | undefined;
  private looking = { key: '', line: 0 };

  readonly layout = $derived.by(() => {
    const { id, plain } = this.given;
    return untrack(() => new Columns<R>(id, !plain, () => this.given.columns));
  });
  /** How many columns stand before those of the page. */
  readonly lead = $derived.by(() => (this.given.selectable ? 1 : 0));
  readonly lineHeight = $derived.by(() => {
    void prefs.density;
    return (this.element && Number.parseFloat(getComputedStyle(this.element).getPropertyValue('--row-h'))) || LINE;
  });
  readonly order = $derived.by(() => {
    const { onSort, sort, plain } = this.given;
    return onSort ? sort : (this.ownSort ?? (plain ? undefined : read(param('sort'))) ?? sort);
  });
  readonly rows = $derived.by(() => {
    const { onSort, rows, columns } = this.given;
    return onSort ? rows : ordered(rows, columns, this.order, locale());
  });
  readonly group = $derived.by(() => this.given.groupBy ?? (this.given.plain ? '' : param('group')));
  readonly lines = $derived.by(() => {
    const by = this.given.columns.find(({ key }) => key === this.group);
    return by ? grouped(this.rows, by.text, this.closed) : plain(this.rows.length);
  });
  private readonly part = $derived.by(() => inView(this, this.lines.length, this.isFlying ? 0 : undefined));
  /** The end of what is drawn. */
  readonly end = $derived(this.part.end);
  readonly drawn = $derived.by(() => {
    const lines = wanted(this.part.first, this.part.end, this.has(this.line) ? this.line : undefined);
    const slots = refill(this.slots, lines);
    return (this.slots = this.isScrolling ? slots : settled(slots));
  });
  readonly extent = $derived.by(() => extent(this.given.selected, this.keys()));
  readonly tracks = $derived.by(() => tracks(this.layout.shown, (column) => this.layout.width(column), this.given.selectable));
  readonly total = $derived.by(() => total(this.layout.shown, (column) => this.layout.width(column), this.given.selectable));
  readonly select = $derived.by(() => (this.given.selectable ? `${SELECT}px` : '0px'));

  constructor(given: Given<R>) {
    this.given = given;
    this.column = this.lead;
    $effect(() => this.stay());
    $effect(() => this.follow());
    $effect(() => this.offerStop());
  }

  private has(line: number): boolean {
    return line >= 0 && line < this.lines.length;
  }

  private *keys(): Generator<string> {
    for (const row of this.rows) yield this.given.rowKey(row);
  }

  /** Takes where it is scrolled to. The elements come into order when it rests. */
  scrolled() {
    const [top, now] = [this.element?.scrollTop ?? 0, performance.now()];
    this.isScrolling = true;
    this.isFlying = Math.abs(top - this.top) > this.height;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.rested(), REST);
    if (this.isFlying && now - this.drawnAt < FLYING) return;
    this.top = top;
    this.drawnAt = now;
  }

  private rested() {
    this.top = this.element?.scrollTop ?? 0;
    this.isScrolling = false;
    this.isFlying = false;
  }

  /** The row of a line; nothing for the heading of a group. */
  rowAt(line: number): R | undefined {
    const index = this.lines.at(line);
    return index < 0 ? undefined : this.rows[index];
  }

  groupAt(line: number): Group | undefined {
    return this.lines.groups[-1 - this.lines.at(line)];
  }

  keyAt(line: number): string {
    const row = this.rowAt(line);
    // No key of a row begins so.
    return row === undefined ? `\0${this.groupAt(line)?.value ?? line}` : this.given.rowKey(row);
  }

  /** Of what line and column an element is. */
  placeOf(element: EventTarget | null): Place | undefined {
    const cell = element instanceof Element ? element.closest<HTMLElement>('[data-column]') : null;
    const line = cell?.closest<HTMLElement>('[data-line]');
    return cell && line ? { line: Number(line.dataset.line), column: Number(cell.dataset.column), cell } : undefined;
  }

  /** The column of the page at the place of a cell. */
  columnAt(column: number): Column<R> | undefined {
    return this.layout.shown[column - this.lead];
  }

  private cellOf(line: number, column: number): HTMLElement | undefined {
    return this.element?.querySelector<HTMLElement>(`[data-line="${line}"] [data-column="${column}"]`) ?? undefined;
  }

  // Where rows come before those that one looks at, one goes on looking at the same.
  private stay() {
    const { lines, lineHeight } = this;
    const first = Math.floor(this.top / lineHeight);
    untrack(() => {
      const { key, line } = this.looking;
      const isMoved = this.top > 0 && key !== '' && line === first && (line >= lines.length || this.keyAt(line) !== key);
      const now = isMoved ? find(lines.length, line, (at) => this.keyAt(at) === key) : undefined;
      if (now !== undefined && this.element) this.element.scrollTop += (now - line) * lineHeight;
      const at = now ?? first;
      this.looking = { key: at < lines.length ? this.keyAt(at) : '', line: at };
    });
  }

  // The line that one is at follows its row.
  private follow() {
    const { lines } = this;
    const { cursor } = this.given;
    untrack(() => {
      if (this.line < 0 || (this.has(this.line) && (!cursor || this.keyAt(this.line) === cursor))) return;
      const now = cursor ? find(lines.length, this.line, (at) => this.keyAt(at) === cursor) : undefined;
      this.line = now ?? Math.max(-1, Math.min(this.line, lines.length - 1));
    });
  }

  // One cell takes the focus by Tab: the one that one is at. Set by hand, because a hundred cells would each ask.
  private offerStop() {
    void [this.drawn, this.rows, this.layout.shown, this.given.selectable];
    const cell = this.cellOf(this.line, this.column) ?? this.cellOf(this.line, 0) ?? this.cellOf(-1, 0);
    const { stop } = this;
    if (stop && stop !== cell) stop.tabIndex = -1;
    if (cell) cell.tabIndex = 0;
    this.stop = cell;
    this.untab();
  }

  // What is in a cell takes no focus by Tab: one would never get out of the table. F2 leads to it.
  private untab() {
    const inner = this.element?.querySelectorAll<HTMLElement>('[role="gridcell"] :is(a[href], button):not([tabindex="-1"])') ?? [];
    for (const one of inner) one.tabIndex = -1;
  }

  /** One is at this cell now. */
  be(line: number, column: number) {
    [this.line, this.column] = [line, column];
    const row = line < 0 ? undefined : this.rowAt(line);
    if (row !== undefined) this.given.cursor = this.given.rowKey(row);
  }

  /** Goes to a cell and brings it into view; the focus goes too, unless it is to stay where it is. */
  async move(line: number, column = this.column, focus = true) {
    const most = this.layout.shown.length + this.lead - 1;
    this.be(Math.max(-1, Math.min(line, this.lines.length - 1)), Math.max(0, Math.min(column, most)));
    if (this.element && this.line >= 0) {
      this.element.scrollTop = reveal(this.line, { top: this.element.scrollTop, height: this.height - this.headHeight, lineHeight: this.lineHeight });
      this.top = this.element.scrollTop;
    }
    await tick();
    const cell = this.cellOf(this.line, this.column) ?? this.cellOf(this.line, 0);
    if (focus) cell?.focus({ preventScroll: true });
    cell?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  private get headHeight(): number {
    return this.element?.querySelector<HTMLElement>('[data-line="-1"]')?.offsetHeight ?? 0;
  }

  /** Somebody has been at a row already. */
  get isAtRow(): boolean {
    return this.given.cursor !== '';
  }

  /** How many lines a page has. */
  get page(): number {
    return Math.max(1, Math.floor((this.height - this.headHeight) / this.lineHeight) - 1);
  }

  /** A row into the selection or out of it; with `wide` all rows from the one before. */
  toggle(line: number, wide = false) {
    const row = this.rowAt(line);
    if (row === undefined || !this.given.selectable) return;
    const key = this.given.rowKey(row);
    const { selected } = this.given;
    this.given.selected = wide && this.lastSelected ? ranged(selected, [...this.keys()], this.lastSelected, key) : toggled(selected, key);
    this.lastSelected = key;
  }

  selectAll() {
    this.given.selected = this.extent === 'all' ? new Set() : new Set(this.keys());
  }

  /** The rows that are selected. */
  picked(): R[] {
    return this.rows.filter((row) => this.given.selected.has(this.given.rowKey(row)));
  }

  /** Opens a group or closes it. */
  fold(line: number) {
    const group = this.groupAt(line);
    if (group) this.closed = toggled(this.closed, group.value);
  }

  sortBy(sort: Sort) {
    if (this.given.onSort) this.given.onSort(sort);
    else if (this.given.plain) this.ownSort = sort;
    else change({ sort: written(sort) });
  }

  clickHead(column: Column<R>) {
    this.sortBy(clicked(column, this.order));
  }

  /** How wide the content of a column is that is drawn now, with its edges, in pixels. */
  fit(index: number): number {
    const range = document.createRange();
    const cells = [...(this.element?.querySelectorAll(`[data-column="${index + this.lead}"]`) ?? [])];
    const widths = cells.map((cell) => (range.selectNodeContents(cell), range.getBoundingClientRect().width));
    return Math.max(0, ...widths) + 28;
  }
}
