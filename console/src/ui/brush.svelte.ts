// Choosing a range on a chart, by pointer and by keys. It knows positions 0 to count - 1 and not what stands there.

export interface Chosen {
  first: number;
  last: number;
}

export class Brush {
  /** Where the pointer or the keys are. */
  at = $state<number>();
  private anchor = $state<number>();
  private dragging = $state(false);

  constructor(
    private readonly count: () => number,
    private readonly choose: (chosen: Chosen) => void,
  ) {}

  /** What is being chosen. */
  readonly range = $derived.by((): Chosen | undefined => {
    if (this.at === undefined || this.anchor === undefined) return undefined;
    return { first: Math.min(this.at, this.anchor), last: Math.max(this.at, this.anchor) };
  });

  private place(index: number): number {
    return Math.max(0, Math.min(this.count() - 1, index));
  }

  down(index: number) {
    this.at = this.anchor = this.place(index);
    this.dragging = true;
  }

  move(index: number) {
    this.at = this.place(index);
  }

  up() {
    const range = this.range;
    if (!this.dragging) return;
    this.dragging = false;
    this.anchor = undefined;
    if (range) this.choose(range);
  }

  /** The pointer has left, or what was begun is given up. */
  clear() {
    this.at = this.anchor = undefined;
    this.dragging = false;
  }

  leave() {
    if (!this.dragging && this.anchor === undefined) this.at = undefined;
  }

  /** Arrows move, with shift they widen, Enter chooses, Escape gives up. */
  readonly onkeydown = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey || this.count() === 0) return;
    const to = this.target(event.key);
    if (to !== undefined) {
      if (!event.shiftKey) this.anchor = undefined;
      else this.anchor ??= this.at ?? this.place(to);
      this.at = this.place(to);
    } else if (event.key === 'Enter' && this.at !== undefined) {
      const range = this.range ?? { first: this.at, last: this.at };
      this.anchor = undefined;
      this.choose(range);
    } else if (event.key === 'Escape' && this.at !== undefined) this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  private target(key: string): number | undefined {
    const last = this.count() - 1;
    const page = Math.max(1, Math.round(last / 10));
    // The first step begins at the end, where the newest is.
    const at = this.at ?? last;
    const fresh = this.at === undefined;
    switch (key) {
      case 'ArrowLeft':
      case 'ArrowDown':
        return fresh ? at : at - 1;
      case 'ArrowRight':
      case 'ArrowUp':
        return fresh ? at : at + 1;
      case 'PageUp':
        return at + page;
      case 'PageDown':
        return at - page;
      case 'Home':
        return 0;
      case 'End':
        return last;
      default:
        return undefined;
    }
  }
}
