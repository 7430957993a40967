// The logs as they come: the latest first, each once, and no more than a browser can hold.

import { lines, type LogRow } from '$/api/lines';
import { asProblem, type Problem } from '$/api/problem';
import { stream, type StreamState } from '$/api/stream';
import { href } from '$/routing/router.svelte';

import { hit, type Hit } from './hit';

/** So many rows are kept. */
export const KEPT_ROWS = 5000;
/** How many rows there are to begin with. */
const FIRST = 200;
/** So many rows are searched for that a stream left out. */
const MADE_UP = 1000;

export interface TailOptions {
  /** How many rows are kept; 5,000 where nothing is said. */
  most?: number;
  /** From when on rows are shown that came before. */
  from?: string;
  /** Rows that have come just now, and were not there before. */
  onRows?: (hits: Hit[]) => void;
}

export class Tail {
  hits = $state.raw<Hit[]>([]);
  state = $state<StreamState>('connecting');
  /** The table stands still; what comes is counted and shown later. */
  paused = $state(false);
  /** Rows that wait. */
  held = $state(0);
  /** Rows that came since it began. */
  came = $state(0);
  /** Since when rows are missing that came faster than they were read. */
  missing = $state.raw<{ from: string; to: string }>();
  problem = $state.raw<Problem>();
  private waiting: Hit[] = [];
  private readonly keys = new Set<string>();
  private readonly query: string;
  private readonly most: number;
  private readonly onRows: ((hits: Hit[]) => void) | undefined;
  private readonly stop = new AbortController();
  private close: (() => void) | undefined;
  private begun = false;

  constructor(query: string, { most = KEPT_ROWS, from = '1h', onRows }: TailOptions = {}) {
    this.query = query;
    this.most = most;
    this.onRows = onRows;
    this.close = stream(href('/api/v1/log/stream', { query }), {
      on: {
        hello: () => void this.begin(from),
        rows: (rows) => this.take(rows as LogRow[]),
        lagged: (told) => void this.lagged(told),
      },
      onState: (state) => {
        this.state = state;
        // The way of the browser does not say why it was refused: an ordinary question does.
        if (state === 'waiting') void this.begin(from);
      },
      onEnd: (problem) => (this.problem = problem),
    });
  }

  /** Ends it. */
  end = () => {
    this.stop.abort();
    this.close?.();
  };

  pause = () => {
    this.paused = true;
  };

  resume = () => {
    this.paused = false;
    this.put(this.waiting.splice(0));
    this.held = 0;
  };

  /** What was there before the stream began: asked for after it, so that nothing falls between. */
  private async begin(from: string) {
    if (this.begun) return;
    this.begun = true;
    const rows: LogRow[] = [];
    try {
      const { signal } = this.stop;
      const limit = Math.min(FIRST, this.most);
      await lines('/api/v1/log/search', { query: this.query, from, limit }, (some) => rows.push(...some), signal);
      if (!signal.aborted) this.before(rows.map(hit));
    } catch (error) {
      if (this.stop.signal.aborted) return;
      const problem = asProblem(error);
      this.begun = false;
      if (problem.status < 400 || problem.status >= 500) return;
      this.problem = problem;
      this.end();
    }
  }

  private before(older: Hit[]) {
    this.hits = [...this.hits, ...older.filter((hit) => this.isNew(hit))].slice(0, this.most);
  }

  private take(rows: LogRow[]) {
    const fresh = rows.map(hit).filter((hit) => this.isNew(hit));
    if (fresh.length === 0) return;
    this.came += fresh.length;
    this.onRows?.(fresh);
    if (!this.paused) return this.put(fresh);
    // As many wait as are kept: of what is older nothing would be seen.
    this.waiting.push(...fresh);
    this.forget(this.waiting.splice(0, Math.max(0, this.waiting.length - this.most)));
    this.held += fresh.length;
  }

  private put(fresh: Hit[]) {
    if (fresh.length === 0) return;
    const all = [...fresh.toReversed(), ...this.hits];
    this.hits = all.slice(0, this.most);
    this.forget(all.slice(this.most));
  }

  private forget(gone: Hit[]) {
    for (const { key } of gone) this.keys.delete(key);
  }

  private isNew({ key }: Hit): boolean {
    if (this.keys.has(key)) return false;
    this.keys.add(key);
    return true;
  }

  /** What the stream left out is searched for; where that is too much, whoever looks is told. */
  private async lagged(told: unknown) {
    const { from = '1h', to = new Date().toISOString() } = (told ?? {}) as { from?: string; to?: string };
    const rows: LogRow[] = [];
    try {
      const { signal } = this.stop;
      await lines('/api/v1/log/search', { query: this.query, from, to, limit: MADE_UP }, (some) => rows.push(...some), signal);
    } catch {
      if (!this.stop.signal.aborted) this.missing = { from: this.missing?.from ?? from, to };
      return;
    }
    const fresh = rows.map(hit).filter((hit) => this.isNew(hit));
    this.came += fresh.length;
    this.hits = [...fresh, ...this.hits].toSorted(latestFirst).slice(0, this.most);
    if (rows.length >= MADE_UP) this.missing = { from: this.missing?.from ?? from, to };
  }
}

function latestFirst(a: Hit, b: Hit): number {
  const at = ({ row }: Hit) => Date.parse(String(row.received));
  return at(b) - at(a) || Number(b.row.id) - Number(a.row.id);
}
