// What alerts and logs are about, and where its page is.

import { t } from '$/i18n';

import type { IconName } from './icons';

export const ENTITY_KINDS = ['host', 'user', 'ip'] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

const PAGES: Record<string, string> = { host: '/host', user: '/user', ip: '/address' };
const ICONS: Record<string, IconName> = { host: 'host', user: 'user', ip: 'address', source: 'source', review: 'review' };

export function isEntityKind(kind: string): kind is EntityKind {
  return Object.hasOwn(PAGES, kind);
}

/** The address of its page; nothing for what has none. */
export function entityHref(kind: string, name: string): string | undefined {
  const page = isEntityKind(kind) ? PAGES[kind] : undefined;
  // Half a character cannot stand in an address.
  return page && name ? `${page}/${encodeURIComponent(name.replace(/\p{Cs}/gu, '\uFFFD'))}` : undefined;
}

export function entityIcon(kind: string): IconName {
  return (Object.hasOwn(ICONS, kind) ? ICONS[kind] : undefined) ?? 'info';
}

/** What kind of thing it is. A kind that is not known shows as the server calls it. */
export function entityWords(kind: string): string {
  return Object.hasOwn(ICONS, kind) ? t(`chart.kind_${kind}`) : kind;
}
