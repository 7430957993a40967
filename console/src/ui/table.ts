import type { Snippet } from 'svelte';

import type { EntityKind } from './entity';
import type { IconName } from './icons';

/** What a cell stands for: the field that one filters by, and its value. */
export interface CellValue {
  field: string;
  value: string;
  /** What has a page of its own; where absent, the field's name tells it. */
  kind?: EntityKind;
}

export interface Column<R> {
  key: string;
  title: string;
  /** Pixels at the density `cozy` and a font of 16 px. */
  width: number;
  /** Its share of the space that is left; none where absent. */
  grow?: number;
  align?: 'end';
  /** What it says: for the eye where there is no `cell`, for copying and for sorting. */
  text: (row: R) => string;
  cell?: Snippet<[R]>;
  value?: (row: R) => CellValue | undefined;
  /** Not shown until it is chosen. */
  hidden?: boolean;
  sort?: boolean;
  /** What to sort by, where it is not the text. */
  order?: (row: R) => number | string;
  mono?: boolean;
  /** Rows may be grouped by it. */
  group?: boolean;
  /** What an export says, where it is not the text: times in ISO 8601, figures without units. */
  exported?: (row: R) => string;
}

export interface RowAction<R> {
  /** The key that does it, such as `e`. */
  key?: string;
  name: string;
  words: string;
  icon?: IconName;
  run: (rows: R[]) => void;
  /** It takes many rows at once. */
  bulk?: boolean;
  allowed?: (row: R) => boolean;
}

export interface Sort {
  key: string;
  down: boolean;
}

/** The most frequent values of a field. */
export interface Top {
  total: number;
  items: { value: string; count: number }[];
}

export type FilterMode = 'in' | 'out';
