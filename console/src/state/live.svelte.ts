// Alerts as they come. One stream serves the whole console; whoever shows alerts listens here.

import type { Problem } from '$/api/problem';
import type { Alert } from '$/api/schema';
import { stream, type StreamState } from '$/api/stream';

import { may } from './me.svelte';

type Listener = (alert: Alert) => void;

class Live {
  state = $state<StreamState>('connecting');
  /** Why nothing comes any more: the right to see alerts has ended. */
  ended = $state.raw<Problem>();
  /** Alerts that were raised since the page was opened and that nobody has looked at here. */
  unseen = $state(0);
  private readonly listeners = new Set<Listener>();
  private readonly known = new Set<string>();
  private close: (() => void) | undefined;

  /** Opens the stream, once, for who may see alerts. */
  start() {
    if (this.close || !may('alert:list')) return;
    this.close = stream('/api/v1/alert/stream', {
      on: {
        hello: () => undefined,
        alert: (data) => this.take(data as Alert),
      },
      onState: (state) => (this.state = state),
      onEnd: (problem) => (this.ended = problem),
    });
  }

  /** Listens; the function that is returned ends it. */
  onAlert(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private take(alert: Alert) {
    if (alert.state === 'open' && alert.revision <= 1 && !this.known.has(alert.id)) {
      this.known.add(alert.id);
      this.unseen += 1;
    }
    for (const listener of this.listeners) listener(alert);
  }
}

export const live = new Live();
