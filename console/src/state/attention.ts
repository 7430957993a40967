// Whether somebody sits here. Requests of a page that nobody touched for a while say so, and do not keep the session from
// ending for want of use.

/** After how long without a key or a pointer, in milliseconds. */
const UNATTENDED = 5 * 60_000;

let touched = Date.now();

for (const event of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const) {
  window.addEventListener(event, () => (touched = Date.now()), { passive: true, capture: true });
}

/** The headers of a request by which the server knows that no person made it; none where somebody is here. */
export function unattended(): Record<string, string> {
  return Date.now() - touched > UNATTENDED ? { 'x-unattended': '1' } : {};
}
