// Lists that are short enough to be had in full, so that all of them can be looked through and put in order.

import { api, data } from '$/api/client';
import type { Group, Post, Service } from '$/api/schema';
import { every, type Part } from '$/state/paged.svelte';

import type { Member } from './types';

/** As many at once as the server gives. */
const limit = 500;

async function all<R>(signal: AbortSignal, run: (cursor: string | undefined) => Promise<Part<R>>): Promise<R[]> {
  const rows: R[] = [];
  await every(run, (part) => rows.push(...part), signal);
  return rows;
}

export function groups(signal: AbortSignal): Promise<Group[]> {
  return all(signal, (cursor) => data(api.GET('/api/v1/group', { params: { query: { cursor, limit } }, signal })));
}

export function services(signal: AbortSignal): Promise<Service[]> {
  return all(signal, (cursor) => data(api.GET('/api/v1/service', { params: { query: { cursor, limit } }, signal })));
}

export function posts(signal: AbortSignal): Promise<Post[]> {
  return all(signal, (cursor) => data(api.GET('/api/v1/post', { params: { query: { cursor, limit } }, signal })));
}

export function members(group: string, signal: AbortSignal): Promise<Member[]> {
  return data(api.GET('/api/v1/group/{group}/member', { params: { path: { group } }, signal }));
}

/** How many groups are asked at once. */
const AT_ONCE = 6;

/** Of these groups those that somebody is in. The server tells of each group who is in it, so each is asked. */
export async function groupsWith(actor: string, among: readonly Group[], signal: AbortSignal): Promise<Group[]> {
  const left = among.filter((group) => group.members > 0);
  const found: Group[] = [];
  const worker = async () => {
    for (let group = left.shift(); group && !signal.aborted; group = left.shift()) {
      const known = await members(group.id, signal);
      if (known.some(({ id }) => id === actor)) found.push(group);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
