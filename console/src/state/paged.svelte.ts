import { untrack } from 'svelte';

import { asProblem, type Problem } from '$/api/problem';

import { Ask } from './ask.svelte';

/** A part of a list, as the server gives it. */
export interface Part<R> {
  items: R[];
  next?: string | null;
}

export interface PagedQuestion<R> {
  /** What is asked, without the cursor. */
  key: string;
  run: (cursor: string | undefined, signal: AbortSignal) => Promise<Part<R>>;
}

/** A list that comes part by part: the next one is asked for when the end of what is shown comes near. */
export class Paged<R> {
  /** The first part, as `States` shows it. */
  readonly first: Ask<Part<R>>;
  readonly rows: R[];
  /** Where the next part begins. */
  next = $state<string>();
  /** Why the next part did not come. */
  problem = $state.raw<Problem>();
  private rest = $state.raw<R[]>([]);
  private running: AbortController | undefined;

  constructor(private readonly question: () => PagedQuestion<R> | undefined) {
    this.first = new Ask(() => {
      const asked = question();
      return asked && { key: asked.key, run: (signal) => asked.run(undefined, signal) };
    });
    this.rows = $derived([...(this.first.data?.items ?? []), ...this.rest]);
    $effect(() => {
      const begin = this.first.data;
      untrack(() => {
        this.stop();
        this.rest = [];
        this.problem = undefined;
        this.next = begin?.next ?? undefined;
      });
      return () => this.stop();
    });
  }

  /** Asks for the next part, unless it is under way or there is none. */
  more = async () => {
    const asked = untrack(this.question);
    if (this.running || !this.next || !asked) return;
    const stop = new AbortController();
    this.running = stop;
    this.problem = undefined;
    try {
      const part = await asked.run(this.next, stop.signal);
      if (stop.signal.aborted) return;
      this.rest = [...this.rest, ...part.items];
      this.next = part.next ?? undefined;
    } catch (error) {
      if (!stop.signal.aborted) this.problem = asProblem(error);
    } finally {
      if (this.running === stop) this.running = undefined;
    }
  };

  private stop() {
    this.running?.abort();
    this.running = undefined;
  }
}

/** Asks for a list that comes in parts; within a component only. */
export function paged<R>(question: () => PagedQuestion<R> | undefined): Paged<R> {
  return new Paged(question);
}

/** All parts of a list, one after the other: for exports. */
export async function every<R>(
  run: (cursor: string | undefined) => Promise<Part<R>>,
  onRows: (rows: R[]) => void,
  signal: AbortSignal,
) {
  let cursor: string | undefined;
  do {
    const part = await run(cursor);
    if (signal.aborted) return;
    onRows(part.items);
    cursor = part.next ?? undefined;
  } while (cursor);
}
