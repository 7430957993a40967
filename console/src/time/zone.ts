import { prefs } from '$/state/prefs.svelte';

// Asking the browser for its zone makes a formatter each time, which a table would do for every row.
const LOCAL = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The zone in which times are shown. Reactive. */
export function zone(): string {
  return prefs.zone === 'local' ? LOCAL : prefs.zone;
}
