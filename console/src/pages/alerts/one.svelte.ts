// One alert as it is now: what was asked for, what the list knows of it, and what has just been done with it.

import { api, data } from '$/api/client';
import type { Alert, AlertDetail } from '$/api/schema';
import { ask, type Ask } from '$/state/ask.svelte';
import { live } from '$/state/live.svelte';

import type { Patch } from './acts';

export class OneAlert {
  /** With its events. */
  readonly detail: Ask<AlertDetail>;
  readonly alert: Alert | undefined;
  private changed = $state.raw<{ alert: Alert; at: number }>();

  constructor(readonly id: () => string, row: () => Alert | undefined = () => undefined) {
    const detail = ask(() => {
      const alert = id();
      if (!alert) return undefined;
      return { key: alert, run: (signal) => data(api.GET('/api/v1/alert/{alert}', { params: { path: { alert } }, signal })) };
    });
    this.detail = detail;
    this.alert = $derived.by(() => {
      const told = detail.data?.id === id() ? detail.data : undefined;
      if (this.changed?.alert.id === id() && this.changed.at >= detail.at) return this.changed.alert;
      const known = row();
      return known?.id === id() && (!told || known.revision >= told.revision) ? known : told;
    });
    $effect(() => live.onAlert((alert) => {
      if (alert.id === id() && alert.revision !== detail.data?.revision) detail.again();
    }));
  }

  /** Shows what an act has changed before the server's word comes, and asks for that. */
  patch: Patch = (ids, change) => {
    if (!this.alert || !ids.has(this.alert.id)) return;
    this.changed = { alert: change(this.alert), at: Date.now() };
    this.detail.again();
  };
}
