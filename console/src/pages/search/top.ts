import { api, data } from '$/api/client';
import type { LogTop } from '$/api/schema';

import { times, type Asked } from './question.svelte';

/** The most frequent values of a field among what was asked for. */
export async function topOf(asked: Pick<Asked, 'query' | 'from' | 'to'> | undefined, field: string, limit = 10): Promise<LogTop> {
  if (!asked) return { field, total: 0, distinct: 0, items: [] };
  return data(api.POST('/api/v1/log/top', { body: { query: asked.query, ...times(asked), field, limit } }));
}
