// Reviews: their states and verdicts in words, and why the server does not let somebody judge or sign.

import { api, data } from '$/api/client';
import type { Problem } from '$/api/problem';
import type { Review, ReviewDetail, ReviewedItem } from '$/api/schema';
import { t } from '$/i18n';
import type { Part } from '$/state/paged.svelte';

export const STATES = ['gathering', 'open', 'overdue', 'signed'] as const;

export interface ReviewFilters {
  state: string;
  day: string;
  node: string;
}

/** A part of the reviews that fit, the newest first. */
export function reviewParts({ state, day, node }: ReviewFilters) {
  const query = { limit: 100, state: state || undefined, day: day || undefined, node: node || undefined };
  return {
    key: JSON.stringify(query),
    run: (cursor: string | undefined, signal: AbortSignal): Promise<Part<Review>> =>
      data(api.GET('/api/v1/review', { params: { query: { ...query, cursor } }, signal })),
  };
}

/** A review with a part of its items. That it was asked for is recorded. */
export function reviewOf(
  review: string,
  query: { limit: number; cursor?: string | undefined; undecided?: boolean | undefined; operation?: string | undefined },
  signal: AbortSignal,
): Promise<ReviewDetail> {
  return data(api.GET('/api/v1/review/{review}', { params: { path: { review }, query }, signal })) as Promise<ReviewDetail>;
}

/** Whether verdicts may still be given. */
export function isOpen({ state }: Pick<Review, 'state'>): boolean {
  return state === 'open' || state === 'overdue';
}

/** How many items it puts before an auditor. */
export function itemsOf({ exceptions, high_risk, sampled }: Review): number {
  return exceptions + high_risk + sampled;
}

/** The verdict on an item in words. */
export function verdictWords({ verdict }: ReviewedItem): string {
  return verdict ? t(`audit.verdict_${verdict}`) : t('audit.undecided');
}

// What the server says, and what is said here. The order of the groups is that of the names.
const REFUSALS: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [/^you hold the role (\S+) at (.+), and what is done there is reviewed here$/, (role, path) => t('audit.why_operates', { role, path })],
  [/^record (\d+) is your own, or you approved it/, (seq) => t('audit.why_own', { seq })],
  [/^a review is signed by a person who is logged in, not by a token$/, () => t('audit.why_token')],
  [/^(\d+) of (\d+) items of \S+ have no verdict: (.+)$/, (undecided, items, operations) => t('audit.why_undecided', { undecided, items, operations })],
  [/^\S+ is (gathering|open|overdue|signed), so nothing of it is noted or signed$/, (state) => t('audit.why_state', { state: t(`audit.state_${state}`) })],
];

/** Why it was refused, in the language of the page; in the server's words where they are others. */
export function refusalWords(problem: Problem): string {
  for (const [pattern, words] of REFUSALS) {
    const found = pattern.exec(problem.detail);
    if (found) return words(...found.slice(1));
  }
  return problem.detail || problem.words;
}
