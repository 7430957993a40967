import type { Grid } from './grid.svelte';
import type { Box } from './popover';
import type { Column } from './table';

export interface CellAt<R> {
  anchor: Box;
  row: R;
  column: Column<R>;
}

/** What keys and clicks in a grid ask for. */
export interface Wishes<R> {
  onOpen?: ((row: R, full: boolean) => void) | undefined;
  onMenu: (at: CellAt<R>) => void;
}

/** Takes the keys of a grid, as the pattern for grids wants them, and those of its rows. */
export function keydown<R>(grid: Grid<R>, wishes: Wishes<R>, event: KeyboardEvent) {
  const target = event.target as HTMLElement;
  const cell = target.closest<HTMLElement>('[data-column]');
  if (!cell || event.defaultPrevented) return;
  if (cell !== target) {
    // Within a cell its links and buttons take the keys, until one leaves it.
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    cell.focus();
  } else if (!onCell(grid, wishes, event, cell)) return;
  event.preventDefault();
}

function onCell<R>(grid: Grid<R>, wishes: Wishes<R>, event: KeyboardEvent, cell: HTMLElement): boolean {
  const { key, shiftKey } = event;
  if (event.metaKey) return false;
  if (event.altKey ? key === 'ArrowDown' : key === 'm' && !event.ctrlKey) return openMenu(grid, wishes, cell);
  if (event.altKey) return false;
  const to = target(grid, key);
  if (to && (!event.ctrlKey || key === 'Home' || key === 'End')) void grid.move(...to);
  else if (event.ctrlKey) return false;
  else if (key === 'Enter' && grid.line >= 0) enter(grid, wishes, grid.line, shiftKey);
  else if (key === ' ') grid.toggle(grid.line, shiftKey);
  else if (key === 'F2') cell.querySelector<HTMLElement>('a, button, input')?.focus();
  else return false;
  return true;
}

/** The line and column to which a key leads. */
function target<R>({ line, column, page, lines }: Grid<R>, key: string): [number, number] | undefined {
  const to: Partial<Record<string, [number, number]>> = {
    ArrowDown: [line + 1, column],
    ArrowUp: [line - 1, column],
    ArrowLeft: [line, column - 1],
    ArrowRight: [line, column + 1],
    PageDown: [line + page, column],
    PageUp: [Math.max(0, line - page), column],
    Home: [0, column],
    End: [lines.length - 1, column],
  };
  return to[key];
}

function enter<R>(grid: Grid<R>, { onOpen }: Wishes<R>, line: number, full: boolean) {
  const row = grid.rowAt(line);
  if (row === undefined) grid.fold(line);
  else onOpen?.(row, full);
}

export function click<R>(grid: Grid<R>, wishes: Wishes<R>, event: MouseEvent) {
  const at = grid.placeOf(event.target);
  if (!at || at.line < 0) return;
  const isRow = grid.rowAt(at.line) !== undefined;
  if (isRow && at.column < grid.lead) return grid.toggle(at.line, event.shiftKey);
  const inner = (event.target as Element).closest('a, button, input, select, summary, label');
  if (inner && at.cell.contains(inner)) return;
  // Who marks text to copy it does not want to open the row.
  if (event.detail > 1 || !document.getSelection()?.isCollapsed) return;
  enter(grid, wishes, at.line, false);
}

/** The menu of a cell in place of the browser's, which stays at hand with shift, and where text is marked. */
export function contextmenu<R>(grid: Grid<R>, wishes: Wishes<R>, event: MouseEvent) {
  const at = grid.placeOf(event.target);
  if (!at || at.line < 0 || event.shiftKey || !document.getSelection()?.isCollapsed) return;
  // By the mouse it opens where that is; by the keyboard, beside the cell.
  const spot = event.button === 2 ? { left: event.clientX, top: event.clientY, width: 0, height: 0 } : undefined;
  if (openMenu(grid, wishes, at.cell, spot)) event.preventDefault();
}

/** Opens the menu of a cell; tells whether it has one. */
export function openMenu<R>(grid: Grid<R>, { onMenu }: Wishes<R>, cell: HTMLElement, spot?: Box): boolean {
  const at = grid.placeOf(cell);
  if (!at || at.line < 0) return false;
  const [row, column] = [grid.rowAt(at.line), grid.columnAt(at.column)];
  if (row === undefined || !column) return false;
  onMenu({ anchor: spot ?? cell.getBoundingClientRect(), row, column });
  return true;
}

/** The next row, or the one before. While one is open beside the table, that panel follows and keeps the focus. */
export function step<R>(grid: Grid<R>, { onOpen }: Wishes<R>, by: number, open: string | undefined, key: (row: R) => string) {
  const focused = document.activeElement;
  const inPanel = Boolean(focused?.closest('[role="dialog"]'));
  const isFresh = grid.line < 0 || (!inPanel && !grid.element?.contains(focused) && !grid.isAtRow);
  void grid.move(isFresh ? 0 : Math.max(0, grid.line + by), grid.column, !inPanel);
  const row = grid.rowAt(grid.line);
  if (open && row !== undefined && key(row) !== open) onOpen?.(row, false);
}
