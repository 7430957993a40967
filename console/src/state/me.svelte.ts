import { api, data } from '$/api/client';
import type { Me } from '$/api/schema';

class Session {
  me = $state<Me>();
  readonly verbs = $derived(new Set<string>(this.me?.may ?? []));
}

const session = new Session();

/** Asks who is logged in; before anything is shown. */
export async function recognise() {
  session.me = await data(api.GET('/api/v1/whoami'));
}

/** Who is logged in. */
export function me(): Me {
  if (!session.me) throw new Error('nobody was recognised yet');
  return session.me;
}

/** Whether this may be done somewhere: what may not be done anywhere is not shown. The server decides each time. */
export function may(verb: string): boolean {
  return session.verbs.has(verb);
}
