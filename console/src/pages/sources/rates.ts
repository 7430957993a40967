// How many events came from each source over the last hour.

import { api, data } from '$/api/client';
import { term } from '$/query/edit';

/** How many series a histogram has at most. */
const TOGETHER = 12;

export type Rates = ReadonlyMap<string, readonly [number, number][]>;

/** Events a second in each part of the last hour, by the name of the source. Sources that were still are all 0. */
export async function rates(names: readonly string[], signal: AbortSignal): Promise<Rates> {
  const groups = Array.from({ length: Math.ceil(names.length / TOGETHER) }, (_, index) => names.slice(index * TOGETHER, (index + 1) * TOGETHER));
  const found = new Map<string, [number, number][]>();
  // One after another: a page full of sources takes one place for questions, not all of them.
  for (const group of groups) {
    const query = group.map((name) => term('source', name, 'in')).join(' or ');
    const body = { query, from: '1h', buckets: 60, by: 'source', series: TOGETHER };
    const { buckets, series = [], step_ms } = await data(api.POST('/api/v1/log/histogram', { body, signal }));
    for (const name of group) {
      const at = series?.indexOf(name) ?? -1;
      found.set(name, buckets.map(({ start, by }) => [Date.parse(start), (by?.[at] ?? 0) / (step_ms / 1000)]));
    }
  }
  return found;
}
