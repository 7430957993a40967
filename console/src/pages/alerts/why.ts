// Why an alert fired: what the rule asks of each field, and what the events say there.

import type { AlertEvent } from '$/api/schema';

export interface Reason {
  field: string;
  /** What the rule asks. */
  test: string;
  /** What the events say, the most frequent first. */
  values: { value: string; count: number }[];
}

/** One reason for each field and test, in the order in which they come. */
export function reasons(events: readonly Pick<AlertEvent, 'why'>[]): Reason[] {
  const found = new Map<string, { field: string; test: string; values: Map<string, number> }>();
  for (const { why } of events) {
    for (const { field, test, value } of why) {
      const key = JSON.stringify([field, test]);
      const reason = found.get(key) ?? { field, test, values: new Map<string, number>() };
      reason.values.set(value, (reason.values.get(value) ?? 0) + 1);
      found.set(key, reason);
    }
  }
  return [...found.values()].map(({ field, test, values }) => ({
    field,
    test,
    values: [...values].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count),
  }));
}
