import type { Done } from '$/api/client';
import { t } from '$/i18n';
import { toast } from '$/ui/toasts.svelte';

/** Says that an act was done, or that it waits for approvals; tells whether it was done. */
export function told<T>(done: Done<T>, said: string | undefined): done is { waiting?: undefined; output: T } {
  if (done.waiting !== undefined) toast.say(t('frame.waits', { id: done.waiting }));
  else if (said) toast.say(said);
  return done.waiting === undefined;
}
