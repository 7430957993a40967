// Records of operations: how they are asked for, and the ten fields that each has. `content` is any object, which the types of
// the client lose: hence the casts.

import { api, data } from '$/api/client';
import type { AuditRecord as Operation } from '$/api/schema';
import { t } from '$/i18n';
import type { Part } from '$/state/paged.svelte';

export type { Operation };

export interface RecordFilters {
  operation: string;
  /** The id of who did it. */
  actor: string;
  /** The id of what it was about. */
  object: string;
  result: string;
}

export const RESULTS = ['success', 'failure', 'denied', 'waiting'] as const;

/** A part of the records that fit, newest first. That it was asked for is recorded. */
export function recordParts(filters: RecordFilters) {
  const query = {
    limit: 200,
    operation: filters.operation || undefined,
    actor: filters.actor || undefined,
    object: filters.object || undefined,
    result: filters.result || undefined,
  };
  return {
    key: JSON.stringify(query),
    run: (cursor: string | undefined, signal: AbortSignal) =>
      data(api.GET('/api/v1/audit', { params: { query: { ...query, cursor } }, signal })) as Promise<Part<Operation>>,
  };
}

/** One record. That it was asked for is recorded. */
export function recordOf(seq: number, signal: AbortSignal): Promise<Operation> {
  return data(api.GET('/api/v1/audit/{seq}', { params: { path: { seq } }, signal })) as Promise<Operation>;
}

/** The result in words; what is not known as the server says it. */
export function resultWords(result: string): string {
  return (RESULTS as readonly string[]).includes(result) ? t(`audit.result_${result}`) : result;
}

/** How it came in, in words. */
export function methodWords(method: string): string {
  return ['console', 'api', 'cli', 'ssh', 'agent', 'system'].includes(method) ? t(`audit.method_${method}`) : method;
}

/** What the operation was about and what it said, on one line: the access content. */
export function contentWords({ object, content }: Operation): string {
  const said = JSON.stringify(content);
  return said === '{}' ? object.id : `${object.id} ${said}`;
}

/** A typed name as the id that the server asks for; nothing where nobody has it. */
export async function actorId(typed: string): Promise<string | undefined> {
  if (/^(per|svc|sys)_/.test(typed)) return typed;
  const { items } = await data(api.GET('/api/v1/person', { params: { query: { text: typed, limit: 50 } } }));
  return items.find(({ name }) => name === typed)?.id;
}
