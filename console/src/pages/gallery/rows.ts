// Made-up alerts for the tables of the gallery.

import { LEVELS } from '$/ui/levels';

import { HOSTILE } from './hostile';
import { noise } from './made';

export interface Made {
  id: string;
  title: string;
  level: (typeof LEVELS)[number];
  host: string;
  user: string;
  address: string;
  count: number;
  at: number;
}

const TITLES = ['Many failed logins, then one that succeeds', 'A shell was opened from a web server', '向外部地址发送了大量数据', 'A scheduled task was changed', 'Sudo to root by an unusual account'];
const USERS = ['root', 'deploy', 'li.wei', 'backup', 'anna.keller', '王芳'];

/** So many rows; among the first are hostile ones. */
export function made(count: number): Made[] {
  const next = noise(count + 1);
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(next() * from.length)];
  return Array.from({ length: count }, (_, index) => ({
    id: `a${index}`,
    title: (index < 24 && index % 3 === 2 ? HOSTILE[(index - 2) / 3] : undefined) ?? pick(TITLES) ?? '',
    level: pick(LEVELS) ?? 'low',
    host: `web-${Math.floor(next() * 40)}.shop.example`,
    user: pick(USERS) ?? '',
    address: `10.${Math.floor(next() * 4)}.${Math.floor(next() * 256)}.${Math.floor(next() * 256)}`,
    count: Math.floor(next() ** 4 * 40_000) + 1,
    at: Date.UTC(2026, 0, 30, 16) - index * 7_000,
  }));
}
