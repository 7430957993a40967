// What the page asks, as its address says it. Times stay as they were written, `24h` or a moment, so that the server's
// clock counts and not the browser's.

import { param } from '$/routing/router.svelte';

import { scoped, type Scope } from './scope';

export const FALLBACK = '24h';

export interface Asked {
  mode: 'filter' | 'sql';
  /** The filter, or the SQL. */
  text: string;
  /** The filter with the chosen part of the tree in it: what the server gets. */
  query: string;
  from: string;
  to: string;
  key: string;
}

/** What is asked now; nothing where there is nothing to ask. */
export class Asking {
  private round = $state(0);
  readonly mode: 'filter' | 'sql' = $derived(param('mode') === 'sql' ? 'sql' : 'filter');
  readonly text = $derived(this.mode === 'sql' ? param('sql') : param('query'));
  readonly from = $derived(param('from') || FALLBACK);
  readonly to = $derived(param('to'));
  readonly asked: Asked | undefined;
  private readonly scope: () => Scope;

  constructor(scope: () => Scope) {
    this.scope = scope;
    this.asked = $derived.by(() => {
      const within = this.scope();
      const { mode, text, from, to } = this;
      if (within.state === 'asking' || (mode === 'sql' && text.trim() === '')) return undefined;
      const query = mode === 'sql' ? '' : scoped(text, within);
      return { mode, text, query, from, to, key: JSON.stringify([mode, text, query, from, to, this.round]) };
    });
  }

  /** Asks the same again, for what has come since. */
  again = () => {
    this.round += 1;
  };
}

/** The times of a question, as the server takes them. */
export function times({ from, to }: { from: string; to: string }): { from: string; to?: string } {
  return to ? { from, to } : { from };
}
