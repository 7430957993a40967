// Where keys lead in a tree, as the pattern for trees wants it.

/** A line of the tree: a node, or the place where more of a level can be had. */
export interface Line {
  key: string;
  /** How deep, from 1. */
  level: number;
  /** Whether it is open; nothing where nothing hangs on it. */
  open?: boolean | undefined;
}

export type Step = { to: string } | { open: string } | { close: string } | { choose: string } | undefined;

/** What a key does at a line. Nothing where the key is none of the tree's. */
export function step(lines: readonly Line[], at: string, key: string): Step {
  const index = lines.findIndex((line) => line.key === at);
  const line = lines[index];
  const to = (place: number): Step => {
    const found = lines[Math.max(0, Math.min(lines.length - 1, place))];
    return found && { to: found.key };
  };
  if (!line) return ['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(key) ? to(key === 'End' ? lines.length - 1 : 0) : undefined;
  switch (key) {
    case 'ArrowDown':
      return to(index + 1);
    case 'ArrowUp':
      return to(index - 1);
    case 'Home':
      return to(0);
    case 'End':
      return to(lines.length - 1);
    case 'ArrowRight':
      if (line.open === false) return { open: at };
      return line.open && (lines[index + 1]?.level ?? 0) > line.level ? to(index + 1) : { to: at };
    case 'ArrowLeft':
      if (line.open) return { close: at };
      return { to: lines.slice(0, index).findLast((other) => other.level < line.level)?.key ?? at };
    case 'Enter':
    case ' ':
      return { choose: at };
    default:
      return undefined;
  }
}
