// What one does with alerts. Each alert is an act of its own; what was done can be undone by the act that does the
// opposite.

import { act, api, type Done } from '$/api/client';
import { asProblem, Problem } from '$/api/problem';
import type { Alert, CloseReason } from '$/api/schema';
import { number, t } from '$/i18n';
import { may, me } from '$/state/me.svelte';
import { toast } from '$/ui/toasts.svelte';

export interface Closing {
  reason: CloseReason;
  note: string;
}

/** One thing to do with one alert. */
export interface Deed {
  name: 'acknowledge' | 'assign' | 'release' | 'close' | 'reopen';
  verb: string;
  allowed: (alert: Alert) => boolean;
  run: (alert: Alert) => Promise<Done<unknown>>;
  /** The alert as it is afterwards. */
  after: (alert: Alert) => Alert;
  /** Makes it as it was before. */
  undo: (before: Alert) => Promise<unknown>;
}

/** How many acts are under way at once. */
const AT_ONCE = 6;

const acknowledgeOne = (alert: string) => act(api.POST('/api/v1/alert/acknowledge', { body: { alert } }));
const reopenOne = (alert: string) => act(api.POST('/api/v1/alert/reopen', { body: { alert } }));
const assignOne = (alert: string, to: string | null) => act(api.POST('/api/v1/alert/assign', { body: { alert, to } }));
const closeOne = (alert: string, closing: Closing) => act(api.POST('/api/v1/alert/close', { body: { alert, ...closing } }));
const person = (actor: string | null | undefined) => (actor?.startsWith('per_') ? actor : null);

export const acknowledge: Deed = {
  name: 'acknowledge',
  verb: 'alert:acknowledge',
  allowed: (alert) => alert.state === 'open',
  run: (alert) => acknowledgeOne(alert.id),
  after: (alert) => ({ ...alert, state: 'acknowledged' }),
  undo: (before) => reopenOne(before.id),
};

/** Gives it to whoever is logged in. */
export const assign: Deed = {
  name: 'assign',
  verb: 'alert:assign',
  allowed: (alert) => alert.state !== 'closed' && alert.assignee !== me().id && me().kind === 'person',
  run: (alert) => assignOne(alert.id, me().id),
  after: (alert) => ({ ...alert, assignee: me().id, assignee_name: me().name }),
  undo: (before) => assignOne(before.id, person(before.assignee)),
};

/** Gives it back: nobody looks after it. */
export const release: Deed = {
  name: 'release',
  verb: 'alert:assign',
  allowed: (alert) => alert.state !== 'closed' && Boolean(alert.assignee),
  run: (alert) => assignOne(alert.id, null),
  after: (alert) => ({ ...alert, assignee: null, assignee_name: null }),
  undo: (before) => assignOne(before.id, person(before.assignee)),
};

export const reopen: Deed = {
  name: 'reopen',
  verb: 'alert:reopen',
  allowed: (alert) => alert.state !== 'open',
  run: (alert) => reopenOne(alert.id),
  after: (alert) => ({ ...alert, state: 'open', reason: null, note: null }),
  undo: (before) =>
    before.state === 'closed' && before.reason && before.note
      ? closeOne(before.id, { reason: before.reason, note: before.note })
      : acknowledgeOne(before.id),
};

/** Closes with what was found out. */
export function close(closing: Closing): Deed {
  return {
    name: 'close',
    verb: 'alert:close',
    allowed: (alert) => alert.state !== 'closed',
    run: (alert) => closeOne(alert.id, closing),
    after: (alert) => ({ ...alert, state: 'closed', ...closing }),
    undo: async (before) => {
      await reopenOne(before.id);
      if (before.state === 'acknowledged') await acknowledgeOne(before.id);
    },
  };
}

/** Whether somebody may do it, and this alert's state allows it. */
export function can(deed: Deed, alert: Alert): boolean {
  return may(deed.verb) && deed.allowed(alert);
}

export type Patch = (ids: ReadonlySet<string>, change: (alert: Alert) => Alert) => void;

/**
 * Does it with all alerts whose state allows it, says what was done, and offers to undo it. `patch` shows it before the
 * server's word comes. The promise tells how many were done.
 */
export async function perform(deed: Deed, alerts: readonly Alert[], patch: Patch): Promise<number> {
  const fitting = alerts.filter((alert) => can(deed, alert));
  if (fitting.length === 0) {
    toast.say(t(`alerts.none_${deed.name}`));
    return 0;
  }
  const done: Alert[] = [];
  const waiting: string[] = [];
  const failed = await each(fitting, async (alert) => {
    const outcome = await deed.run(alert);
    if (outcome.waiting === undefined) done.push(alert);
    else waiting.push(outcome.waiting);
  });
  patch(new Set(done.map(({ id }) => id)), deed.after);
  if (done.length > 0) {
    toast.say(t(`alerts.done_${deed.name}`, { count: done.length }), { undo: () => void undo(deed, done, patch) });
  }
  if (waiting.length === 1) toast.say(t('frame.waits', { id: waiting[0] }));
  else if (waiting.length > 1) toast.say(t('alerts.waiting', { count: waiting.length }));
  tell(failed);
  return done.length;
}

async function undo(deed: Deed, before: readonly Alert[], patch: Patch) {
  const restored = new Map<string, Alert>();
  const failed = await each(before, async (alert) => {
    await deed.undo(alert);
    restored.set(alert.id, alert);
  });
  // What else has changed meanwhile stays.
  patch(new Set(restored.keys()), (alert) => {
    const { state, assignee, assignee_name, reason, note } = restored.get(alert.id) ?? alert;
    return { ...alert, state, assignee, assignee_name, reason, note };
  });
  if (restored.size > 0) toast.say(t('alerts.undone', { count: restored.size }));
  tell(failed);
}

/** Runs for all, some at once; gives what failed. */
async function each(alerts: readonly Alert[], run: (alert: Alert) => Promise<void>): Promise<Problem[]> {
  const left = [...alerts];
  const failed: Problem[] = [];
  const worker = async () => {
    for (let alert = left.shift(); alert; alert = left.shift()) {
      try {
        await run(alert);
      } catch (error) {
        failed.push(asProblem(error));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, worker));
  return failed;
}

/** Says how many failed, and why the first did. */
function tell(failed: readonly Problem[]) {
  const [first] = failed;
  if (!first) return;
  if (failed.length === 1) toast.problem(first);
  else {
    const { kind, status, detail, advice, request } = first;
    const words = t('alerts.failed', { count: failed.length, number: number(failed.length), reason: first.words });
    toast.problem(new Problem(`alerts/${kind}`, status, words, detail, advice, request));
  }
}
