/** The selection with a row in or out of it. */
export function toggled(selected: ReadonlySet<string>, key: string): Set<string> {
  const next = new Set(selected);
  if (!next.delete(key)) next.add(key);
  return next;
}

/** The selection with all rows from one to another, both of them, in whichever order; out of it where the last one was in. */
export function ranged(selected: ReadonlySet<string>, keys: readonly string[], from: string, to: string): Set<string> {
  const [a, b] = [keys.indexOf(from), keys.indexOf(to)];
  if (a < 0 || b < 0) return toggled(selected, to);
  const next = new Set(selected);
  const add = !selected.has(to);
  for (const key of keys.slice(Math.min(a, b), Math.max(a, b) + 1)) {
    if (add) next.add(key);
    else next.delete(key);
  }
  return next;
}

/** How many of the rows are selected. */
export function extent(selected: ReadonlySet<string>, keys: Iterable<string>): 'none' | 'some' | 'all' {
  if (selected.size === 0) return 'none';
  let [some, all] = [false, true];
  for (const key of keys) {
    if (selected.has(key)) some = true;
    else all = false;
    if (some && !all) return 'some';
  }
  return some && all ? 'all' : 'none';
}
