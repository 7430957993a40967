// What an event says beside its columns: the fields of its own, which can be asked for by their names too.

import { between } from '$/time/range';

const MOST = 300;
/** JSON up to this length is taken apart. */
const LENGTH = 256 * 1024;

/** The fields of an event that is a JSON object, by the names that a filter knows them by: `order.id`. */
export function ownFields(raw: string): [string, string][] {
  if (raw.length > LENGTH || !/^\s*\{/.test(raw)) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(raw);
  } catch {
    return [];
  }
  const found: [string, string][] = [];
  collect('', parsed, found, 0);
  return found;
}

function collect(name: string, value: unknown, found: [string, string][], depth: number) {
  if (found.length >= MOST || value === null) return;
  if (typeof value !== 'object' || Array.isArray(value) || depth > 12) {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    if (name) found.push([name, text]);
    return;
  }
  for (const [key, inner] of Object.entries(value)) collect(name ? `${name}.${key}` : key, inner, found, depth + 1);
}

/** The range around a moment, so many milliseconds to each side. */
export function around(moment: string, millis: number): { from: string; to: string } {
  const at = Date.parse(moment);
  return Number.isNaN(at) ? { from: moment, to: '' } : between(at - millis, at + millis);
}
