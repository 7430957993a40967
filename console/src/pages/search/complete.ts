// How a filter may go on: fields and words as the server offers them, and behind a field the values that there are.

import { api, data } from '$/api/client';
import { placeOfByte, quote } from '$/query/edit';

import type { Asked } from './question.svelte';
import { fieldBefore } from './spot';
import { topOf } from './top';

export interface Completion {
  /** The byte where what an item replaces begins. */
  from: number;
  items: string[];
}

/** Values are asked for once for each field and time: each question is recorded. */
const values = new Map<string, Promise<string[]>>();
/** Fields whose values are no words, or are known to the server anyway. */
const NOT_COUNTED = new Set(['id', 'received', 'claimed', 'time', 'raw', 'source', 'format', 'kind']);
/** What may stand at the end of a text. */
export async function complete(text: string, asked: Pick<Asked, 'from' | 'to'>): Promise<Completion> {
  const told = await data(api.GET('/api/v1/log/field', { params: { query: { complete: text } } }));
  if (told.items.length > 0) return told;
  const from = placeOfByte(text, told.from);
  const field = fieldBefore(text.slice(0, from));
  const column = told.columns.find(({ name, ocsf }) => name === field || ocsf === field)?.name;
  if (!column || NOT_COUNTED.has(column)) return told;
  const typed = text.slice(from).replace(/^"/, '').toLowerCase();
  const known = await top(column, asked);
  return { from: told.from, items: known.filter((value) => value.toLowerCase().startsWith(typed)).slice(0, 20).map(quote) };
}

async function top(field: string, asked: Pick<Asked, 'from' | 'to'>): Promise<string[]> {
  const key = JSON.stringify([field, asked.from, asked.to]);
  let found = values.get(key);
  if (!found) {
    found = topOf({ query: '', ...asked }, field, 100).then(({ items }) => items.map(({ value }) => value));
    values.set(key, found);
    found.catch(() => values.delete(key));
  }
  return found;
}
