// How a source stands, in one word.

import type { Source } from '$/api/schema';
import { t } from '$/i18n';
import { span } from '$/time/range';

export type Standing = 'disabled' | 'silent' | 'refused' | 'unheard' | 'active';

/** What needs a look comes first. */
export const STANDINGS: readonly Standing[] = ['silent', 'refused', 'unheard', 'active', 'disabled'];

export function standing(source: Pick<Source, 'state' | 'events' | 'refused' | 'now'>): Standing {
  if (source.state === 'disabled') return 'disabled';
  if (source.now.silent) return 'silent';
  if (source.refused > 0) return 'refused';
  return source.events === 0 ? 'unheard' : 'active';
}

/** What needs a look first, then by name. */
export function inOrder<S extends Pick<Source, 'name' | 'state' | 'events' | 'refused' | 'now'>>(sources: readonly S[]): S[] {
  const rank = (source: S) => STANDINGS.indexOf(standing(source));
  return sources.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

/** How far what a source claims is from when it came; nothing where it claims no time. */
export function lag(source: Pick<Source, 'lag_ms'>): string {
  const millis = source.lag_ms;
  if (millis === undefined || millis === null) return '';
  return millis < -1000 ? t('sources.ahead', { span: span(-millis) }) : span(Math.max(0, millis));
}

/** A rate with as many digits as say something. */
export function digits(rate: number): Intl.NumberFormatOptions {
  return { maximumFractionDigits: rate >= 100 ? 0 : rate >= 1 ? 1 : 2 };
}
