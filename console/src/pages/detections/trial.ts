// An event that another page hands over to be tried against a rule. It is too long for an address.

const KEY = 'garrison.trial';

/** What `POST /rule/test` takes at most, in bytes. */
export const MOST_BYTES = 256 * 1024;

/** The event that waits, or the empty text. */
export function waiting(): string {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

/** Forgets the event that waited. */
export function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // A window that keeps nothing has nothing to forget.
  }
}
