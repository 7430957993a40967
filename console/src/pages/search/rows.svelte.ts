// The rows of a question: a thousand at a time, as many as somebody scrolls to.

import { untrack } from 'svelte';

import { lines, type LogRow } from '$/api/lines';
import { Problem, asProblem } from '$/api/problem';

import { hit, numbered, place, type Hit } from './hit';
import { times, type Asked } from './question.svelte';
import { unscoped } from './scope';

const PAGE = 1000;
/** What the table shows; whoever wants more exports it. */
export const MOST = 100_000;

export class Rows {
  hits = $state.raw<Hit[]>([]);
  /** The question that the rows answer. */
  answers = $state.raw<Asked>();
  /** It takes longer than a moment. */
  loading = $state(false);
  /** A first answer is under way. */
  asking = $state(false);
  problem = $state.raw<Problem>();
  /** Why it is not all; empty where it is. */
  partial = $state('');
  more = $state(false);
  at = $state(0);
  private stop: AbortController | undefined;

  constructor(asked: () => Asked | undefined) {
    const key = $derived(asked()?.key);
    $effect(() => {
      if (key === undefined) return untrack(() => this.clear());
      const question = untrack(asked);
      if (question) untrack(() => void this.ask(question));
      return () => this.stop?.abort();
    });
  }

  /** Asks for the rows that follow. */
  near = () => {
    if (this.more && !this.asking && this.answers) void this.ask(this.answers, this.hits);
  };

  private clear() {
    this.hits = [];
    this.answers = undefined;
    this.problem = undefined;
    this.partial = '';
    this.more = false;
  }

  private async ask(question: Asked, before: Hit[] = []) {
    this.stop?.abort();
    const { signal } = (this.stop = new AbortController());
    const slow = setTimeout(() => (this.loading = true), 300);
    const found: Hit[] = [];
    this.asking = true;
    this.more = false;
    try {
      const sql = question.mode === 'sql';
      const end = await lines('/api/v1/log/search', body(question, before.at(-1)), (rows) => this.take(question, before, found, rows, signal), signal);
      if (signal.aborted) return;
      this.show(question, [...before, ...found]);
      this.problem = undefined;
      this.partial = end.complete ? '' : (end.detail ?? '');
      this.more = !sql && end.complete && found.length >= PAGE && this.hits.length < MOST;
      this.at = Date.now();
    } catch (error) {
      if (signal.aborted) return;
      this.problem = asProblem(error);
      if (this.answers?.key !== question.key) this.hits = [];
      this.answers = question;
    } finally {
      clearTimeout(slow);
      if (!signal.aborted) this.asking = this.loading = false;
    }
  }

  /** The first rows are shown as they come; all others at the end, so that the table is not built again and again. */
  private take(question: Asked, before: Hit[], found: Hit[], rows: LogRow[], signal: AbortSignal) {
    if (signal.aborted) return;
    const sql = question.mode === 'sql';
    for (const row of rows) found.push(sql ? numbered(row, found.length) : hit(row));
    if (before.length === 0 && this.answers?.key !== question.key) this.show(question, [...found]);
  }

  private show(question: Asked, hits: Hit[]) {
    this.hits = hits;
    this.answers = question;
    this.problem = undefined;
  }
}

function body(question: Asked, last: Hit | undefined) {
  if (question.mode === 'sql') return { sql: question.text, ...times(question), limit: MOST };
  const before = place(last);
  return { query: question.query, ...times(question), limit: PAGE, ...(before ? { before } : {}) };
}

/** The problem as it is about what somebody wrote. */
export function pointed(problem: Problem, { text, query }: Asked): Problem {
  if (text === query || !problem.detail.includes('\n')) return problem;
  const { kind, status, title, advice, request } = problem;
  return new Problem(kind, status, title, unscoped(problem.detail, text, query), advice, request);
}
