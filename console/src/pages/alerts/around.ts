// The time around an alert.

/** How much before and after is shown, in milliseconds. */
const AROUND = 15 * 60_000;
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** When an alert was raised, in milliseconds: its id begins with it. */
export function raised(id: string): number | undefined {
  const text = id.slice(id.indexOf('_') + 1, id.indexOf('_') + 11).toUpperCase();
  if (text.length < 10) return undefined;
  let millis = 0;
  for (const char of text) {
    const digit = DIGITS.indexOf(char);
    if (digit < 0) return undefined;
    millis = millis * 32 + digit;
  }
  return millis;
}

/**
 * The time around an alert's events as the server received them. Logs are searched by that time; what a late sender
 * claims may lie long before it, so the time at which the alert was raised counts too.
 */
export function around(alert: { id: string; first_seen: string; last_seen: string }): { from: string; to: string } {
  const [first, last] = [Date.parse(alert.first_seen), Date.parse(alert.last_seen)];
  const known = raised(alert.id) ?? last;
  const from = Math.min(first, known) - AROUND;
  const to = Math.max(last, known + (last - first)) + AROUND;
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
