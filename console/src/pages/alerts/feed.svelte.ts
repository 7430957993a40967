// The rows of a list of alerts: parts that are fetched as one scrolls, changes as they come, and what is new since. Rows
// stay where they are until the reader wants the list anew.

import { untrack } from 'svelte';

import { api, data } from '$/api/client';
import { asProblem, type Problem } from '$/api/problem';
import type { Alert, AlertPage } from '$/api/schema';
import { ask, type Ask } from '$/state/ask.svelte';
import { live } from '$/state/live.svelte';
import { every } from '$/state/paged.svelte';

import { asked, hasState, type AlertQuery, type Filters } from './filters';

/** Rows of one part: the most that the server gives. */
const PART = 500;
/** How often changes are shown, and how often it is asked what is new, in milliseconds. */
const SHOW = 250;
const LOOK = 2000;
/** How often figures follow at most, in milliseconds. */
const PACE = 3000;

export class AlertFeed {
  /** The first part, as `States` shows it. */
  readonly first: Ask<AlertPage>;
  rows = $state.raw<readonly Alert[]>([]);
  /** Why no further part came. */
  stalled = $state.raw<Problem>();
  /** How many alerts came since that fit; `PART` stands for that many or more. */
  fresh = $state(0);
  /** Rises after changes, but not with each alert of a storm: for whoever shows figures. */
  beat = $state(0);
  /** How many rows have another state than what is shown. */
  readonly gone: number;
  /** There are more. */
  readonly near: boolean;

  private next = $state<string>();
  /** What the rows are an answer to; a later part of another answer is not taken. */
  private answer: AlertPage | undefined;
  private position = 0;
  /** Where `24h` ago is counted from: the same for all parts of a list. */
  private since = Date.now();
  private fetching = false;
  private places = new Map<string, number>();
  private readonly waiting = new Map<string, Alert>();
  private readonly unknown = new Map<string, number>();
  private shower: ReturnType<typeof setTimeout> | undefined;
  private looker: ReturnType<typeof setTimeout> | undefined;
  private pacer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly filters: () => Filters, private readonly sort: () => string) {
    this.first = ask(() => ({
      key: JSON.stringify([filters(), sort()]),
      run: (signal) => {
        this.since = Date.now();
        return this.fetch({ sort: sort() }, signal);
      },
    }));
    this.near = $derived(this.next !== undefined && !this.stalled);
    this.gone = $derived(this.rows.reduce((count, alert) => count + (hasState(alert, filters().state) ? 0 : 1), 0));
    $effect(() => {
      const page = this.first.data;
      if (page) untrack(() => this.begin(page));
    });
    $effect(() => live.onAlert((alert) => this.heard(alert)));
    $effect(() => () => {
      clearTimeout(this.shower);
      clearTimeout(this.looker);
      clearTimeout(this.pacer);
      this.answer = undefined;
    });
  }

  /** Fetches the next part. */
  more = async () => {
    if (this.fetching || this.next === undefined) return;
    const { answer } = this;
    this.fetching = true;
    this.stalled = undefined;
    try {
      const part = await this.fetch({ sort: this.sort(), cursor: this.next });
      if (answer !== this.answer) return;
      // What moved to the top while one read comes twice; the row that is there stays.
      this.put([...this.rows, ...part.items.filter(({ id }) => !this.places.has(id))]);
      this.next = part.next ?? undefined;
    } catch (error) {
      if (answer === this.answer) this.stalled = asProblem(error);
    } finally {
      if (answer === this.answer) this.fetching = false;
    }
  };

  /** Shows at once what an act has changed; the server's word follows. */
  patch(ids: ReadonlySet<string>, change: (alert: Alert) => Alert) {
    this.put(this.rows.map((alert) => (ids.has(alert.id) ? change(alert) : alert)));
    this.changed();
  }

  /** The row of an alert, where it is shown. */
  find(id: string): Alert | undefined {
    const { rows } = this;
    const place = this.places.get(id);
    return place === undefined ? undefined : rows[place];
  }

  /** All that fits, part by part, each alert once. */
  all(onRows: (rows: Alert[]) => void, signal: AbortSignal) {
    const query = { ...asked(this.filters(), this.since), sort: this.sort(), limit: PART };
    const seen = new Set<string>();
    return every(
      (cursor) => data(api.GET('/api/v1/alert', { params: { query: { ...query, cursor } }, signal })),
      (rows) => {
        onRows(rows.filter(({ id }) => !seen.has(id)));
        for (const { id } of rows) seen.add(id);
      },
      signal,
    );
  }

  private fetch(more: AlertQuery, signal?: AbortSignal) {
    const query = { ...asked(this.filters(), this.since), ...more, limit: PART };
    return data(api.GET('/api/v1/alert', { params: { query }, signal }));
  }

  private begin(page: AlertPage) {
    this.answer = page;
    this.position = page.position;
    this.fetching = false;
    this.stalled = undefined;
    this.fresh = 0;
    this.put(page.items);
    this.next = page.next ?? undefined;
    this.sift();
  }

  private changed() {
    this.pacer ??= setTimeout(() => {
      this.pacer = undefined;
      this.beat += 1;
    }, PACE);
  }

  private put(rows: readonly Alert[]) {
    this.places = new Map(rows.map(({ id }, place) => [id, place]));
    this.rows = rows;
  }

  private heard(alert: Alert) {
    if (this.places.has(alert.id)) {
      this.waiting.set(alert.id, alert);
      this.shower ??= setTimeout(() => this.show(), SHOW);
    } else if (alert.change > this.position) {
      this.unknown.set(alert.id, alert.change);
      this.sift();
    }
  }

  /** Puts what was heard into the rows that are there. */
  private show() {
    this.shower = undefined;
    const rows = [...this.rows];
    for (const [id, alert] of this.waiting) {
      const place = this.places.get(id);
      const row = place === undefined ? undefined : rows[place];
      if (place !== undefined && row && row.change < alert.change) rows[place] = alert;
    }
    this.waiting.clear();
    this.rows = rows;
    this.changed();
  }

  /** Forgets what has come into the list by now; for the rest it is asked whether it fits. */
  private sift() {
    for (const [id, change] of this.unknown) {
      if (this.places.has(id) || change <= this.position) this.unknown.delete(id);
    }
    if (this.unknown.size > 0) this.looker ??= setTimeout(() => void this.look(), LOOK);
  }

  /** The server alone knows what fits: what of the latest is not among the rows is new. */
  private async look() {
    const { answer } = this;
    try {
      const part = await this.fetch({ sort: 'last_seen' });
      if (answer !== this.answer) return;
      this.fresh = part.items.filter(({ id, change }) => change > this.position && !this.places.has(id)).length;
      this.unknown.clear();
      this.changed();
    } catch {
      // It is asked again when the next alert comes.
    } finally {
      this.looker = undefined;
    }
  }
}
