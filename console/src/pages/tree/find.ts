// Nodes by path and by id, as forms and cells need them.

import { api, data } from '$/api/client';
import { asProblem, Problem } from '$/api/problem';
import type { NodeView } from '$/api/schema';
import { t } from '$/i18n';

/** The node that a path names. Where there is none, the field of the form says so. */
export async function nodeAt(path: string, field: string): Promise<NodeView> {
  try {
    return await data(api.GET('/api/v1/node-at', { params: { query: { path } } }));
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status !== 404) throw problem;
    const { kind, status, title, advice, request } = problem;
    throw new Problem(kind, status, title, `${field}: ${t('tree.no_such_node')}`, advice, request);
  }
}

/** What stands above a path that is being typed; the empty text is above the top. */
export function above(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The paths directly under a node, to choose from; none where there is no such node. */
export async function below(path: string, signal: AbortSignal): Promise<string[]> {
  try {
    const query = { parent: path || undefined, limit: 500 };
    const part = await data(api.GET('/api/v1/node', { params: { query }, signal }));
    return part.items.map((node) => node.path);
  } catch (error) {
    if (asProblem(error).status === 404) return [];
    throw error;
  }
}

/** A node with all above it that one may see, the highest first. */
export async function trailOf(id: string, signal: AbortSignal): Promise<NodeView[]> {
  const node = await data(api.GET('/api/v1/node/{node}', { params: { path: { node: id } }, signal }));
  const trail = [node];
  for (let parent = node.parent; parent; parent = trail[0]?.parent) {
    const higher = await seen(parent, signal);
    if (!higher) break;
    trail.unshift(higher);
  }
  return trail;
}

async function seen(id: string, signal: AbortSignal): Promise<NodeView | undefined> {
  try {
    return await data(api.GET('/api/v1/node/{node}', { params: { path: { node: id } }, signal }));
  } catch (error) {
    if ([403, 404].includes(asProblem(error).status)) return undefined;
    throw error;
  }
}

const paths = new Map<string, Promise<string>>();

/** The path of a node, asked for once; its id where one may not see it. */
export function pathOf(id: string): Promise<string> {
  let path = paths.get(id);
  if (!path) {
    path = data(api.GET('/api/v1/node/{node}', { params: { path: { node: id } } })).then(
      (node) => node.path,
      () => id,
    );
    paths.set(id, path);
  }
  return path;
}

/** The tree has changed: paths are asked for anew. */
export function forgetPaths() {
  paths.clear();
}
