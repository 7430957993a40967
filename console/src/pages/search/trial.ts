/** Where the page of a rule finds an event to try: it is too long for an address. */
const KEY = 'garrison.trial';

/** Hands an event over, to be tried against a rule. */
export function handOver(raw: string) {
  try {
    sessionStorage.setItem(KEY, raw);
  } catch {
    // A window that keeps nothing: the event has to be pasted there.
  }
}
