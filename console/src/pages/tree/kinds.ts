import type { NodeKind } from '$/api/schema';

/** What kinds of places there are. */
export const KINDS: readonly NodeKind[] = ['organisation', 'product', 'service', 'environment', 'group'];
