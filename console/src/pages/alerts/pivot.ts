// From an alert to the logs around it.

import type { Alert } from '$/api/schema';
import { eventsOf } from '$/pages/entity/kinds';
import { term } from '$/query/edit';
import { href } from '$/routing/router.svelte';
import { isEntityKind } from '$/ui/entity';

import { around } from './around';

/** The filter for what an alert is about. */
export function about(alert: Alert): string {
  if (isEntityKind(alert.entity_kind)) return eventsOf(alert.entity_kind, alert.entity);
  return alert.entity_kind === 'source' ? term('source', alert.entity, 'in') : '';
}

/** The search for what an alert is about, around its time. */
export function searchAround(alert: Alert, node = ''): string {
  return href('/search', { query: about(alert), ...around(alert), node });
}
