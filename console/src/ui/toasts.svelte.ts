import type { Problem } from '$/api/problem';

export interface Toast {
  id: number;
  words: string;
  kind: 'said' | 'problem';
  /** Further lines: why, and what to do. */
  details?: string[];
  undo?: () => void;
  href?: string;
  hrefWords?: string;
}

class Toasts {
  shown = $state.raw<Toast[]>([]);
  private last = 0;

  /** Says what was done. */
  say(words: string, more: { undo?: () => void; href?: string; hrefWords?: string } = {}): number {
    return this.add({ words, kind: 'said', ...more });
  }

  /** Says what failed; it stays until somebody closes it. */
  problem(problem: Problem): number {
    const details = [problem.detail, problem.advice].filter((line) => line && line !== problem.words);
    return this.add({ words: problem.words, kind: 'problem', details });
  }

  close(id: number) {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }

  private add(toast: Omit<Toast, 'id'>): number {
    const id = ++this.last;
    // More than four cover what one works on.
    this.shown = [...this.shown, { id, ...toast }].slice(-4);
    return id;
  }
}

export const toast = new Toasts();
