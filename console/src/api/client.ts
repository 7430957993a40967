import createClient, { type Middleware } from 'openapi-fetch';

import { unattended } from '$/state/attention';

import { Problem, asProblem, problemOf } from './problem';
import type { paths } from './schema';

const failures: Middleware = {
  async onRequest({ request }) {
    // What is sent twice by accident is done once.
    if (request.method === 'POST') request.headers.set('idempotency-key', crypto.randomUUID());
    for (const [name, value] of Object.entries(unattended())) request.headers.set(name, value);
    return request;
  },
  async onResponse({ response }) {
    if (response.status === 401) toLogin();
    if (!response.ok) throw await problemOf(response);
    return response;
  },
  onError({ error }) {
    throw asProblem(error);
  },
};

/** The server's API, with the types of its document. An answer that is no good one is thrown as a `Problem`. */
export const api = createClient<paths>({ baseUrl: window.location.origin });
api.use(failures);

/** The session has ended: the way back leads to this very page. */
export function toLogin() {
  const next = window.location.pathname + window.location.search;
  window.location.assign(`/login?next=${encodeURIComponent(next)}`);
}

/** The answer of a call; what a call throws stays thrown. */
export async function data<T>(call: Promise<{ data?: T; error?: unknown }>): Promise<NonNullable<T>> {
  const { data: answer } = await call;
  if (answer === undefined || answer === null) throw new Problem('empty', 0, 'empty', 'the server answered nothing', '', '');
  return answer;
}

/** What an act brought, or the id of the request that waits for approvals. */
export type Done<T> = { waiting: string; output?: undefined } | { waiting?: undefined; output: T };

/** Tells whether an act was done, or waits. */
export async function act<T>(call: Promise<{ data?: T; response: Response }>): Promise<Done<Exclude<T, { approval: string }>>> {
  const { data: answer, response } = await call;
  if (response.status === 202) return { waiting: (answer as { approval: string }).approval };
  return { output: answer as Exclude<T, { approval: string }> };
}
