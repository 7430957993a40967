export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

const MARGIN = 8;
const GAP = 4;

/** Where a menu of a size stands beside what opened it: below, or above where there is more space, never off the screen. */
export function place(anchor: Box, menu: Size, screen: Size, end = false): { left: number; top: number; height: number } {
  const below = screen.height - (anchor.top + anchor.height) - GAP - MARGIN;
  const above = anchor.top - GAP - MARGIN;
  const isBelow = menu.height <= below || below >= above;
  const height = Math.max(0, Math.min(menu.height, isBelow ? below : above));
  const top = isBelow ? anchor.top + anchor.height + GAP : anchor.top - GAP - height;
  const wanted = end ? anchor.left + anchor.width - menu.width : anchor.left;
  const left = Math.max(MARGIN, Math.min(wanted, screen.width - menu.width - MARGIN));
  return { left, top, height };
}

/** Shows a popover beside something on the page. */
export function showBeside(popover: HTMLElement, anchor: Box, end = false) {
  popover.style.maxBlockSize = '';
  if (!popover.matches(':popover-open')) popover.showPopover();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const screen = { width: document.documentElement.clientWidth, height: window.innerHeight };
  const at = place(anchor, { width, height }, screen, end);
  popover.style.insetInlineStart = `${at.left}px`;
  popover.style.insetBlockStart = `${at.top}px`;
  if (at.height < height) popover.style.maxBlockSize = `${at.height}px`;
}
