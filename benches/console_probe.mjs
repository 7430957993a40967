// What `benches/console.mjs` puts into every page before its own scripts run: it is sent as text, so it uses nothing from
// outside. All times are those of the page, in milliseconds since its navigation began.

export function probe() {
  const [longTasks, clicks] = [[], []];
  const observe = (type, into, take) => {
    const observer = new PerformanceObserver((list) => into.push(...list.getEntries().map(take)));
    observer.observe({ type, buffered: true, durationThreshold: 16 });
  };
  observe('longtask', longTasks, ({ startTime, duration }) => ({ at: startTime, ms: duration }));
  observe('event', clicks, ({ name, duration }) => ({ name, ms: duration }));

  /** Waits until something is there and the frame that shows it is drawn; a minute at most. */
  const drawn = (selector) =>
    new Promise((done, failed) => {
      const end = performance.now() + 60_000;
      const look = () => {
        const found = document.querySelector(selector);
        if (!found && performance.now() > end) return failed(new Error(`${selector} did not come to ${location.href}`));
        if (!found) return requestAnimationFrame(look);
        // A message comes after the frame whose callbacks these are.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => done({ at: performance.now(), box: found.getBoundingClientRect().toJSON() });
        port2.postMessage(undefined);
      };
      requestAnimationFrame(look);
    });

  /** When the key was last pressed, or the button, as the browser was told. */
  const pressed = {};
  for (const type of ['keydown', 'pointerdown']) addEventListener(type, (event) => (pressed[type] = event.timeStamp), true);

  const grid = () => document.querySelector('main [role="grid"]');
  const lineHeight = () => grid()?.querySelector('[data-line]:not([data-line="-1"])')?.offsetHeight || 36;
  const rows = () => Math.round((grid()?.querySelector('[role="rowgroup"]')?.offsetHeight ?? 0) / lineHeight());

  /** Scrolls to the end again and again, until there are so many rows or no more come. */
  async function load(most, patience) {
    const begun = performance.now();
    let [known, since] = [rows(), begun];
    while (known < most && performance.now() - since < 10_000 && performance.now() - begun < patience) {
      grid().scrollTop = grid().scrollHeight;
      await new Promise((done) => requestAnimationFrame(done));
      if (rows() > known) [known, since] = [rows(), performance.now()];
    }
    grid().scrollTop = 0;
    return { rows: known, ms: performance.now() - begun };
  }

  /** Draws the bar of a table from the beginning to the end. */
  const drag = (ms) =>
    new Promise((done) => {
      const [element, begun] = [grid(), performance.now()];
      const most = element.scrollHeight - element.clientHeight;
      const step = () => {
        const part = Math.min(1, (performance.now() - begun) / ms);
        element.scrollTop = part * most;
        if (part < 1) requestAnimationFrame(step);
        else done();
      };
      requestAnimationFrame(step);
    });

  let recorded;
  /** Notes each frame from now on, and whether the row in the middle of the table is drawn in it. */
  function record() {
    const mine = (recorded = { frames: [], blank: 0, tasks: longTasks.length });
    const [element, height] = [grid(), lineHeight()];
    const frame = (at) => {
      if (recorded !== mine) return;
      const middle = element && Math.floor((element.scrollTop + element.clientHeight / 2 - height) / height);
      if (element && !element.querySelector(`[data-line="${middle}"]`)) mine.blank += 1;
      mine.frames.push(at);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  function recordEnd() {
    const { frames, blank, tasks } = recorded;
    recorded = undefined;
    return { frames, blank, longTasks: longTasks.length - tasks };
  }

  globalThis.bench = { longTasks, clicks, drawn, pressed, rows, load, drag, record, recordEnd };
}
