// The server answers a few questions about logs at once, for everybody. What stands beside the timeline asks one after the
// other, so that one open page leaves room for others.

let last: Promise<unknown> = Promise.resolve();

/** Runs when all that came before is done. */
export function inTurn<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const next = last.then(() => {
    signal.throwIfAborted();
    return run();
  });
  last = next.catch(() => undefined);
  return next;
}
