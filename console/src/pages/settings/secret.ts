import type { ServerSetting } from '$/api/schema';

const DOTS = '••••••••';

/** The value as it may be shown: dots in the place of each part that the server keeps to itself. */
export function plain({ value, secret }: Pick<ServerSetting, 'value' | 'secret'>): string {
  if (!secret) return value;
  return value.includes('(secret)') ? value.replaceAll('(secret)', DOTS) : DOTS;
}
