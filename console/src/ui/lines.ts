// The lines of a table: rows, and the headings of groups among them. Only those in view are drawn, so a line is a number,
// and its height is always the same.

export interface Group {
  value: string;
  count: number;
  open: boolean;
}

/** What stands on each line: the index of a row, or `-1 - n` for the heading of the n-th group. */
export interface Lines {
  length: number;
  at: (line: number) => number;
  groups: readonly Group[];
}

/** Every row is a line. */
export function plain(count: number): Lines {
  return { length: count, at: (line) => line, groups: [] };
}

/** Rows of one value together, groups in the order in which their first row comes. */
export function grouped<R>(rows: readonly R[], valueOf: (row: R) => string, closed: ReadonlySet<string>): Lines {
  const members = new Map<string, number[]>();
  for (const [index, row] of rows.entries()) {
    const value = valueOf(row);
    const found = members.get(value);
    if (found) found.push(index);
    else members.set(value, [index]);
  }
  const lines: number[] = [];
  const groups: Group[] = [];
  for (const [value, indexes] of members) {
    lines.push(-1 - groups.length);
    const open = !closed.has(value);
    groups.push({ value, count: indexes.length, open });
    if (open) for (const index of indexes) lines.push(index);
  }
  return { length: lines.length, at: (line) => lines[line] ?? -1, groups };
}

/** The lines of a list that are in view. */
export interface View {
  top: number;
  height: number;
  lineHeight: number;
}

/** The window moves by so many lines at once, so that not every turn of the wheel draws. */
const STEP = 4;
/** How many lines beyond the view are drawn: the browser scrolls before we draw. */
const BEYOND = 12;

/** The first line that is drawn, and the one after the last. `beyond`: how many lines out of view are drawn too. */
export function window(view: View, length: number, beyond = BEYOND): { first: number; end: number } {
  const inView = Math.ceil(view.height / view.lineHeight);
  const at = Math.floor(view.top / view.lineHeight / STEP) * STEP;
  const end = Math.min(length, at + inView + STEP + beyond);
  return { first: Math.max(0, Math.min(at - beyond, end)), end: Math.max(0, end) };
}

/** An element for a line, and the line that it shows. */
export interface Slot {
  id: number;
  line: number;
}

/** The lines that are drawn. `kept` is drawn though it is out of view, because it has the focus. */
export function wanted(first: number, end: number, kept: number | undefined): number[] {
  const inside = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index);
  if (kept === undefined || (kept >= first && kept < end)) return inside;
  return kept < first ? [kept, ...inside] : [...inside, kept];
}

/**
 * The elements for these lines. Each keeps the line that it shows; those whose line is gone take what is new, where they
 * are. Nothing is moved in the document: that is what makes scrolling slow.
 */
export function refill(slots: readonly Slot[], lines: readonly number[]): Slot[] {
  const missing = new Set(lines);
  const stays = slots.map(({ line }) => missing.delete(line));
  const fresh = [...missing];
  let taken = 0;
  let id = slots.reduce((most, slot) => Math.max(most, slot.id), -1);
  const filled: Slot[] = [];
  for (const [index, slot] of slots.entries()) {
    if (stays[index]) filled.push(slot);
    else if (taken < fresh.length) filled.push({ id: slot.id, line: fresh[taken++] ?? 0 });
  }
  for (const line of fresh.slice(taken)) filled.push({ id: ++id, line });
  return filled;
}

/** The same in the order of the lines, as a screen reader reads them. */
export function settled(slots: readonly Slot[]): Slot[] {
  return slots.toSorted((a, b) => a.line - b.line);
}

/** Where to scroll so that a line can be seen whole; where it already can, nothing moves. */
export function reveal(line: number, view: View): number {
  const top = line * view.lineHeight;
  if (top < view.top) return top;
  return Math.max(view.top, top + view.lineHeight - view.height);
}

/** The line that fits, looked for from `near` in both directions: what moved did not move far. */
export function find(length: number, near: number, fits: (line: number) => boolean): number | undefined {
  const start = Math.max(0, Math.min(near, length - 1));
  for (let away = 0; away < length; away += 1) {
    if (start + away < length && fits(start + away)) return start + away;
    if (away > 0 && start - away >= 0 && fits(start - away)) return start - away;
  }
  return undefined;
}
