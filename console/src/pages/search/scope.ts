// The chosen node of the tree as a part of the filter. An event stands at the node of its source, so the part names the
// nodes of all sources at the chosen node and below it.

import type { Source } from '$/api/schema';
import { pointed } from '$/query/edit';
import { tokens } from '$/query/tokens';

export type Scope =
  | { state: 'all' }
  | { state: 'asking' }
  | { state: 'nodes'; path: string; nodes: readonly string[] };

/** The nodes at a path and below it where there are sources; the node itself, so that nothing is not everything. */
export function within(path: string, node: string, sources: readonly Pick<Source, 'path' | 'node'>[]): string[] {
  const below = sources.filter((source) => source.path === path || source.path.startsWith(`${path}/`));
  return [...new Set([node, ...below.map((source) => source.node)])];
}

/** A filter that finds only what is at these nodes. */
export function scoped(query: string, scope: Scope): string {
  if (scope.state !== 'nodes') return query;
  const nodes = `node:(${scope.nodes.join(' or ')})`;
  if (query.trim() === '') return nodes;
  // Brackets around what is not balanced would give it another meaning: as it is, the server refuses it.
  return !isBalanced(query) ? query : `(${query}) ${nodes}`;
}

/** Whether each `)` has its `(` before it, and each `(` its `)`. */
export function isBalanced(query: string): boolean {
  let open = 0;
  for (const { kind, text } of tokens(query)) {
    if (kind === 'paren') open += text === '(' ? 1 : -1;
    if (open < 0) return false;
  }
  return open === 0;
}

/** A problem's detail, which points into what was sent, as it points into what somebody wrote. */
export function unscoped(detail: string, query: string, sent: string): string {
  const place = sent === query ? undefined : pointed(sent, detail);
  if (!place) return detail;
  const column = Math.min(Array.from(sent.slice(0, place.from)).length - 1, Array.from(query).length);
  return `${place.message}\n${query}\n${' '.repeat(Math.max(0, column))}^`;
}
