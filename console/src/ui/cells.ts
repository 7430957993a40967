import type { EntityKind } from './entity';
import { cut, visible } from './safe';
import type { CellValue } from './table';

/** Nobody reads more than this in a cell; the browser would lay all of it out. */
const MOST = 400;

/** What a cell draws of a text. */
export function shown(text: string): string {
  return visible(cut(text, MOST));
}

// Fields of the logs that name something with a page of its own.
const KINDS = new Map<string, EntityKind>([
  ['host', 'host'],
  ['user', 'user'],
  ['target_user', 'user'],
  ['ip', 'ip'],
  ['src_ip', 'ip'],
  ['dst_ip', 'ip'],
  ['peer', 'ip'],
]);

/** What the value of a cell is, where it is something with a page of its own. */
export function entityOf({ field, value, kind }: CellValue): EntityKind | undefined {
  return value === '' ? undefined : (kind ?? KINDS.get(field));
}
