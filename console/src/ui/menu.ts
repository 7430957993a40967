import type { IconName } from './icons';

export interface MenuItem {
  words: string;
  run?: () => void;
  href?: string | undefined;
  icon?: IconName | undefined;
  danger?: boolean;
  disabled?: boolean;
  /** It is chosen: the item shows a mark. */
  checked?: boolean;
  /** A key that does the same, for who looks. */
  key?: string | undefined;
  /** The menu stays: what was chosen shows something in its place. */
  stays?: boolean;
  /** A line above it. */
  line?: boolean;
}
