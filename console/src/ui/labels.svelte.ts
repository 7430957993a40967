/** Whether a media query holds; reactive, within a component only. */
export class Media {
  matches = $state(false);

  constructor(query: string) {
    const list = window.matchMedia(query);
    this.matches = list.matches;
    const changed = () => (this.matches = list.matches);
    $effect(() => {
      list.addEventListener('change', changed);
      return () => list.removeEventListener('change', changed);
    });
  }
}

/** The height of a line of words. */
const LINE = 16;

/** Where the names of lines stand at their ends, so that none covers another. */
export function directLabels(ends: readonly (number | null)[], y: (value: number) => number, bottom: number): { index: number; top: number }[] {
  const wanted = ends
    .map((value, index) => ({ index, top: value === null ? bottom : y(value) }))
    .sort((a, b) => a.top - b.top);
  for (const [order, place] of wanted.entries()) place.top = Math.max(place.top, (wanted[order - 1]?.top ?? -LINE) + LINE, LINE / 2);
  let below = bottom + LINE / 2;
  for (const place of wanted.toReversed()) {
    place.top = Math.min(place.top, below - LINE / 2);
    below = place.top - LINE / 2;
  }
  return wanted;
}
