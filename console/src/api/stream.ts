// Server-sent events: the browser connects again by itself and names the last event that it got, so that nothing is lost
// and nothing comes twice.

import { toLogin } from './client';
import { Problem, problemIn } from './problem';

export type StreamState = 'connecting' | 'open' | 'waiting' | 'ended';

export interface StreamOptions {
  /** For each name of an event, who takes its data. */
  on: Record<string, (data: unknown, id: string) => void>;
  onState?: (state: StreamState) => void;
  /** The server ended it for good: the session or the right has ended. */
  onEnd?: (problem: Problem) => void;
}

/** After how long without any answer it is tried again, in milliseconds: longer each time. */
const WAITS = [500, 1000, 2000, 5000, 10_000];

/** Opens a stream; the function that is returned closes it. */
export function stream(path: string, options: StreamOptions): () => void {
  let last = '';
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source: EventSource | undefined;
  let closed = false;

  const close = () => {
    closed = true;
    clearTimeout(timer);
    source?.close();
    options.onState?.('ended');
  };

  const open = () => {
    options.onState?.('connecting');
    const url = new URL(path, window.location.origin);
    if (last) url.searchParams.set('after', last);
    source = new EventSource(url);
    source.onopen = () => {
      tries = 0;
      options.onState?.('open');
    };
    source.onerror = () => {
      // A connection that broke is made again by us and not by the browser, which gives up on some answers for ever.
      source?.close();
      if (closed) return;
      options.onState?.('waiting');
      timer = setTimeout(again, WAITS[Math.min(tries, WAITS.length - 1)]);
      tries += 1;
    };
    for (const [name, take] of Object.entries(options.on)) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) last = event.lastEventId;
        take(JSON.parse(event.data as string), event.lastEventId);
      });
    }
    // A sign of life tells how far the stream is, also where nothing comes for long.
    source.addEventListener('alive', (event) => (last = event.lastEventId || last));
    source.addEventListener('end', (event) => {
      close();
      const problem = problemIn(JSON.parse((event as MessageEvent<string>).data), 0);
      if (problem.status === 401) toLogin();
      else options.onEnd?.(problem);
    });
  };

  const again = async () => {
    // EventSource does not tell why it was refused; a session that has ended leads to the login.
    const known = await fetch('/api/v1/whoami', { headers: { 'x-unattended': '1' } }).catch(() => undefined);
    if (known?.status === 401) toLogin();
    if (!closed) open();
  };

  open();
  return close;
}
