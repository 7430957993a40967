// All sources that one may see, and what was heard from them.

import { api, data } from '$/api/client';
import type { Source } from '$/api/schema';

/** All sources, page by page. */
export async function everySource(signal?: AbortSignal): Promise<Source[]> {
  const all: Source[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 500, ...(cursor ? { cursor } : {}) };
    const page = await data(api.GET('/api/v1/source', { params: { query }, ...(signal ? { signal } : {}) }));
    all.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor);
  return all;
}
