import type { paths } from '$/api/schema';

type Answer<P extends keyof paths> = paths[P] extends { get: { responses: { 200: { content: { 'application/json': infer A } } } } } ? A : never;

export type Session = Answer<'/api/v1/session'>[number];
export type Token = Answer<'/api/v1/token'>[number];
export type Member = Answer<'/api/v1/group/{group}/member'>[number];
/** What happened to a node. */
export type Change = Answer<'/api/v1/node/{node}/history'>[number];
