import { api, data } from '$/api/client';
import { param } from '$/routing/router.svelte';
import { ask } from '$/state/ask.svelte';

import { everySource } from '../sources/sources.svelte';

import { within, type Scope } from './scope';

/** The part of the tree that `?node=` names; within a component only. */
export function scope(): () => Scope {
  const node = $derived(param('node'));
  const found = ask(() =>
    node
      ? {
          key: node,
          run: async (signal) => {
            const asked = data(api.GET('/api/v1/node/{node}', { params: { path: { node } }, signal }));
            const [{ path }, sources] = await Promise.all([asked, everySource(signal)]);
            return { node, path, nodes: within(path, node, sources) };
          },
        }
      : undefined,
  );
  return () => {
    if (!node) return { state: 'all' };
    if (found.data?.node === node) return { state: 'nodes', path: found.data.path, nodes: found.data.nodes };
    // A node that cannot be asked about is one that one may not see: the server finds nothing there either.
    return found.problem ? { state: 'nodes', path: node, nodes: [node] } : { state: 'asking' };
  };
}
