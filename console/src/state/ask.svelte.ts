import { untrack } from 'svelte';

import { Problem, asProblem } from '$/api/problem';

export interface Question<T> {
  /** What is asked; an answer to the same question is asked for once. */
  key: string;
  run: (signal: AbortSignal) => Promise<T>;
}

/** Something that is asked of the server, and how it stands. */
export class Ask<T> {
  data = $state.raw<T>();
  problem = $state.raw<Problem>();
  /** It takes longer than a moment. */
  loading = $state(false);
  /** When the data came, in milliseconds. */
  at = $state(0);
  private round = $state(0);

  constructor(question: () => Question<T> | undefined) {
    const key = $derived(question()?.key);
    $effect(() => {
      void this.round;
      if (key === undefined) return;
      const asked = untrack(question);
      if (!asked) return;
      const stop = new AbortController();
      untrack(() => void this.run(asked, stop.signal));
      return () => stop.abort();
    });
  }

  /** Asks again. What is shown stays until there is an answer. */
  again = () => {
    this.round += 1;
  };

  private async run(asked: Question<T>, signal: AbortSignal) {
    const slow = setTimeout(() => (this.loading = true), 300);
    try {
      const answer = await asked.run(signal);
      if (signal.aborted) return;
      this.data = answer;
      this.problem = undefined;
      this.at = Date.now();
    } catch (error) {
      if (!signal.aborted) this.problem = asProblem(error);
    } finally {
      clearTimeout(slow);
      if (!signal.aborted) this.loading = false;
    }
  }
}

/** Asks the server whenever what the question is made of changes; within a component only. */
export function ask<T>(question: () => Question<T> | undefined): Ask<T> {
  return new Ask(question);
}
