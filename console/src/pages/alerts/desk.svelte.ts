// What is being done with alerts on a page: acts, and the question why some are to be closed.

import type { Alert } from '$/api/schema';
import { t } from '$/i18n';
import { may } from '$/state/me.svelte';
import type { RowAction } from '$/ui/table';

import { acknowledge, assign, can, close, perform, release, reopen, type Closing, type Deed, type Patch } from './acts';

export class Desk {
  /** Those that are to be closed as soon as a reason is given. */
  closing = $state.raw<readonly Alert[]>([]);
  busy = $state(false);

  constructor(private readonly patch: Patch) {}

  do = async (deed: Deed, alerts: readonly Alert[]) => {
    this.busy = true;
    try {
      return await perform(deed, alerts, this.patch);
    } finally {
      this.busy = false;
    }
  };

  /** Asks for the reason. */
  settle = (alerts: readonly Alert[]) => {
    const fitting = alerts.filter((alert) => alert.state !== 'closed');
    if (fitting.length > 0) this.closing = fitting;
    else void this.do(close({ reason: 'benign', note: '' }), alerts);
  };

  /** Closes those for which the reason was asked. */
  finish = async (closing: Closing) => {
    const alerts = this.closing;
    this.closing = [];
    await this.do(close(closing), alerts);
  };

  /** What a table offers to do with its rows. */
  actions(): RowAction<Alert>[] {
    const of = (deed: Deed, words: string, more: Partial<RowAction<Alert>>): RowAction<Alert> => ({
      name: deed.name, words, bulk: true, allowed: (alert) => can(deed, alert), run: (rows) => void this.do(deed, rows), ...more,
    });
    const all = [
      { verb: acknowledge.verb, action: of(acknowledge, t('alerts.acknowledge'), { key: 'e', icon: 'check' }) },
      { verb: assign.verb, action: of(assign, t('alerts.assign'), { key: 'a', icon: 'user' }) },
      { verb: release.verb, action: of(release, t('alerts.release'), {}) },
      {
        verb: 'alert:close',
        action: {
          name: 'close', words: t('alerts.close'), key: 's', icon: 'lock', bulk: true,
          allowed: (alert: Alert) => alert.state !== 'closed', run: (rows: Alert[]) => this.settle(rows),
        } satisfies RowAction<Alert>,
      },
      { verb: reopen.verb, action: of(reopen, t('alerts.reopen'), { icon: 'undo' }) },
    ];
    return all.filter(({ verb }) => may(verb)).map(({ action }) => action);
  }
}
