// What a rule asks, in the language of the page. The server says a test in a few fixed forms, such as `contains "x"`.

import type { Predicate } from '$/api/schema';
import { t } from '$/i18n';

/** A test in words: what must be between the field and the value. */
export interface TestWords {
  words: string;
  /** What is compared with, as the rule has it. */
  value: string;
  /** Capitals and small letters are told apart. */
  cased: boolean;
}

// Longer forms stand before those that they begin with.
const FORMS: readonly (readonly [string, () => string])[] = [
  ['= the field ', () => t('detections.test_equals_field')],
  ['contains the field ', () => t('detections.test_contains_field')],
  ['starts with the field ', () => t('detections.test_starts_field')],
  ['ends with the field ', () => t('detections.test_ends_field')],
  ['= ', () => t('detections.test_equals')],
  ['contains ', () => t('detections.test_contains')],
  ['starts with ', () => t('detections.test_starts')],
  ['ends with ', () => t('detections.test_ends')],
  ['is like ', () => t('detections.test_like')],
  ['matches ', () => t('detections.test_matches')],
  ['in ', () => t('detections.test_in')],
  ['<= ', () => t('detections.test_lte')],
  ['>= ', () => t('detections.test_gte')],
  ['< ', () => t('detections.test_lt')],
  ['> ', () => t('detections.test_gt')],
  ['is absent or null', () => t('detections.test_null')],
  ['is empty', () => t('detections.test_empty')],
  ['has any text', () => t('detections.test_any')],
  ['does not exist', () => t('detections.test_absent')],
  ['exists', () => t('detections.test_exists')],
];

const CASED = ' (with case)';

/** A test in words. A form that is not known stays as the server says it. */
export function testWords(test: string): TestWords {
  const cased = test.endsWith(CASED);
  const bare = cased ? test.slice(0, -CASED.length) : test;
  for (const [begin, words] of FORMS) {
    const whole = !begin.endsWith(' ');
    if (whole ? bare === begin : bare.startsWith(begin)) return { words: words(), value: bare.slice(begin.length), cased };
  }
  return { words: '', value: test, cased: false };
}

/** What a group of tests asks. A group that is not known stays as the server says it. */
export function groupWords({ op, words }: Pick<Predicate, 'op' | 'words'>): string {
  if (op === 'and') return t('detections.op_and');
  if (op === 'or') return t('detections.op_or');
  if (op === 'not') return t('detections.op_not');
  const least = op === 'of' ? /^at least (\d+) of these$/.exec(words)?.[1] : undefined;
  return least === undefined ? words : t('detections.op_of', { count: Number(least) });
}
