// The parts of the settings: what each is called, and who sees it.

import { may, me } from '$/state/me.svelte';
import type { IconName } from '$/ui/icons';

export const PARTS = ['appearance', 'sessions', 'tokens', 'password', 'configuration', 'health', 'about'] as const;
export type Part = (typeof PARTS)[number];

export const ICONS: Record<Part, IconName> = {
  appearance: 'sun', sessions: 'host', tokens: 'token', password: 'key', configuration: 'settings', health: 'chart', about: 'info',
};

/** Whether somebody logged in, rather than showed a token. */
const isPerson = () => me().kind === 'person' && !me().limits;

const ALLOWED: Partial<Record<Part, () => boolean>> = {
  sessions: () => may('session:list'),
  tokens: () => may('token:list'),
  password: () => may('password:change') && isPerson(),
  configuration: () => may('server:config'),
  health: () => may('server:show'),
};

/** The parts that may be opened. */
export function parts(): Part[] {
  return PARTS.filter((part) => ALLOWED[part]?.() ?? true);
}
