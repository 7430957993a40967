// Where a floating panel stands: below what opened it, or above where there is no room.

const GAP = 4;
const EDGE = 8;

/** Puts a panel of the top layer beside the element that it belongs to, within the window. */
export function place(panel: HTMLElement, beside: Element) {
  const anchor = beside.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = window.innerHeight - anchor.bottom - GAP - EDGE;
  const above = anchor.top - GAP - EDGE;
  const wanted = height <= below || below >= above ? anchor.bottom + GAP : anchor.top - GAP - height;
  // Where neither side has room it covers what opened it.
  const top = Math.max(EDGE, Math.min(wanted, window.innerHeight - height - EDGE));
  // Ends are aligned where beginnings would leave the window.
  const fits = anchor.left + width <= window.innerWidth - EDGE;
  const left = Math.max(EDGE, Math.min(fits ? anchor.left : anchor.right - width, window.innerWidth - width - EDGE));
  panel.style.top = `${top}px`;
  panel.style.left = `${left}px`;
}
