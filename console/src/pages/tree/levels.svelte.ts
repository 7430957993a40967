// The part of the tree that was looked at: each level as far as it was loaded, and what is open. A level may have thousands
// of nodes; it comes part by part, as its end comes into view.

import { SvelteMap, SvelteSet } from 'svelte/reactivity';

import { api, data } from '$/api/client';
import { asProblem, type Problem } from '$/api/problem';
import type { LevelView, NodeView } from '$/api/schema';
import { keep, kept } from '$/state/prefs.svelte';

import type { Line } from './walk';

/** How many nodes come at once. */
const PART = 200;
/** So many open nodes are remembered. */
const REMEMBERED = 300;
/** The level that hangs under nothing. */
export const TOP = '';

/** A node in the tree. How much hangs on it is not known of one that was reached from below. */
export type Leaf = NodeView & Partial<Pick<LevelView, 'children' | 'objects'>>;

interface Level {
  nodes: Leaf[];
  /** Nodes that one came to by another way, and that stand further on than what was loaded. */
  ahead: Leaf[];
  next: string | undefined;
  problem?: Problem | undefined;
}

export type Row = Line & { parent: string } & (
    | { node: Leaf; at: number; of: number }
    // Where more can be had: by itself when it comes into view, or only when asked, because more would push away what one looks at.
    | { node?: undefined; problem?: Problem | undefined; waits: boolean }
  );

export class Levels {
  readonly rows: Row[] = $derived.by(() => this.flat());
  private readonly levels = new SvelteMap<string, Level>();
  private readonly opened = new SvelteSet<string>(kept<string[]>('tree.open', []));
  private readonly running = new Set<string>();

  /** A node that was loaded. */
  find(id: string): Leaf | undefined {
    for (const { nodes, ahead } of this.levels.values()) {
      const found = nodes.find((node) => node.id === id) ?? ahead.find((node) => node.id === id);
      if (found) return found;
    }
    return undefined;
  }

  open(id: string) {
    this.opened.add(id);
    this.remember();
  }

  close(id: string) {
    this.opened.delete(id);
    this.remember();
  }

  /** The next part of a level, or its first. What failed is tried again. */
  more = async (parent: string) => {
    const level = this.levels.get(parent);
    if (this.running.has(parent) || (level && !level.next && !level.problem)) return;
    this.running.add(parent);
    try {
      const { items, next } = await page(parent, level?.next);
      const nodes = level?.next ? [...level.nodes, ...items] : items;
      this.put(parent, nodes, next ?? undefined);
    } catch (error) {
      this.levels.set(parent, { nodes: [], ahead: [], next: undefined, ...level, problem: asProblem(error) });
    } finally {
      this.running.delete(parent);
    }
  };

  /** Something has changed under these nodes: what was loaded of them is loaded anew, with the counts above. */
  async renew(...parents: (string | null | undefined)[]) {
    const under = parents.map((parent) => parent ?? TOP);
    const above = under.map((parent) => this.find(parent)?.parent ?? TOP);
    await Promise.all([...new Set([...under, ...above])].map((parent) => this.reload(parent)));
  }

  /** Opens all above the last node of a trail, and makes sure that it is there. */
  async reveal(trail: readonly NodeView[]) {
    for (const [index, node] of trail.entries()) {
      const parent = trail[index - 1]?.id ?? TOP;
      if (!this.levels.has(parent)) await this.more(parent);
      const level = this.levels.get(parent);
      const isThere = !level || [...level.nodes, ...level.ahead].some(({ id }) => id === node.id);
      if (!isThere && level.next) {
        this.levels.set(parent, { ...level, ahead: [...level.ahead, node].sort((a, b) => (a.name < b.name ? -1 : 1)) });
      } else if (!isThere) await this.reload(parent);
      if (index < trail.length - 1 && !this.opened.has(node.id)) this.open(node.id);
    }
  }

  private async reload(parent: string) {
    const level = this.levels.get(parent);
    if (!level || this.running.has(parent)) return;
    this.running.add(parent);
    try {
      const nodes: Leaf[] = [];
      let next: string | undefined;
      do {
        const part = await page(parent, next);
        nodes.push(...part.items);
        next = part.next ?? undefined;
      } while (next && nodes.length < level.nodes.length);
      this.put(parent, nodes, next);
    } catch (error) {
      // The node itself may be gone: merged into another.
      if (asProblem(error).status === 404) this.levels.delete(parent);
      else this.levels.set(parent, { ...level, problem: asProblem(error) });
    } finally {
      this.running.delete(parent);
    }
  }

  private put(parent: string, nodes: Leaf[], next: string | undefined) {
    const known = new Set(nodes.map(({ id }) => id));
    // Nothing is ahead of a level that is there in full.
    const ahead = next ? (this.levels.get(parent)?.ahead ?? []).filter(({ id }) => !known.has(id)) : [];
    this.levels.set(parent, { nodes, ahead, next });
  }

  private flat(): Row[] {
    const rows: Row[] = [];
    const walk = (parent: string, level: number, count: number | undefined) => {
      const { nodes = [], ahead = [], next, problem } = this.levels.get(parent) ?? {};
      const isWhole = this.levels.has(parent) && !next && !problem;
      const of = isWhole ? nodes.length : (count ?? -1);
      const line = (node: Leaf, at: number) => {
        const open = node.children === 0 ? undefined : this.opened.has(node.id);
        rows.push({ key: node.id, level, open, parent, node, at, of });
        if (open) walk(node.id, level + 1, node.children);
      };
      nodes.forEach((node, index) => line(node, index + 1));
      if (!isWhole) rows.push({ key: `more ${parent}`, level, parent, problem, waits: problem !== undefined || ahead.length > 0 });
      for (const node of ahead) line(node, -1);
    };
    walk(TOP, 1, undefined);
    return rows;
  }

  private remember() {
    keep('tree.open', [...this.opened].slice(-REMEMBERED));
  }
}

function page(parent: string, cursor: string | undefined) {
  return data(api.GET('/api/v1/node', { params: { query: { parent: parent || undefined, cursor, limit: PART } } }));
}
