import { describe, expect, test } from 'vitest';

import { find, grouped, plain, refill, reveal, settled, wanted, window } from './lines';

const view = (top: number) => ({ top, height: 720, lineHeight: 36 });

describe('the window', () => {
  test('has all lines in view, and some beyond', () => {
    for (const top of [0, 35, 36, 1000, 3_599_279]) {
      const { first, end } = window(view(top), 100_000);
      expect(first).toBeLessThanOrEqual(Math.floor(top / 36));
      expect(end).toBeGreaterThanOrEqual(Math.min(100_000, Math.ceil((top + 720) / 36)));
      expect(end - first).toBeLessThan(60);
    }
  });

  test('never leaves the lines', () => {
    expect(window(view(0), 0)).toEqual({ first: 0, end: 0 });
    expect(window(view(0), 3)).toEqual({ first: 0, end: 3 });
    // The list became shorter than what is scrolled.
    const { first, end } = window(view(36_000), 10);
    expect(end).toBe(10);
    expect(first).toBeLessThanOrEqual(end);
  });

  test('has nothing beyond the view where it flies', () => {
    const { first, end } = window(view(36 * 400), 1000, 0);
    expect(first).toBe(400);
    expect(end - first).toBe(24);
  });

  test('stays while less than a step is scrolled', () => {
    expect(window(view(36 * 40), 1000)).toEqual(window(view(36 * 43 + 35), 1000));
    expect(window(view(36 * 40), 1000)).not.toEqual(window(view(36 * 44), 1000));
  });
});

describe('the lines that are drawn', () => {
  test('have the one with the focus, wherever it is', () => {
    expect(wanted(10, 13, undefined)).toEqual([10, 11, 12]);
    expect(wanted(10, 13, 11)).toEqual([10, 11, 12]);
    expect(wanted(10, 13, 2)).toEqual([2, 10, 11, 12]);
    expect(wanted(10, 13, 99)).toEqual([10, 11, 12, 99]);
  });

  test('keep their elements, and what is new takes those that are free', () => {
    const before = refill([], [0, 1, 2, 3]);
    const after = refill(before, [2, 3, 4, 5]);
    expect(after.map(({ line }) => line)).toEqual([4, 5, 2, 3]);
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(after[2]).toBe(before[2]);
    expect(settled(after).map(({ line }) => line)).toEqual([2, 3, 4, 5]);
  });

  test('become more and fewer, each element once', () => {
    let slots = refill([], [0, 1, 2]);
    for (const lines of [[5, 6, 7, 8, 9], [9], [], [1, 2, 3], [3, 4]]) {
      slots = refill(slots, lines);
      expect(slots.map(({ line }) => line).sort()).toEqual(lines);
      expect(new Set(slots.map(({ id }) => id)).size).toBe(lines.length);
    }
  });
});

describe('groups', () => {
  const rows = ['b1', 'a1', 'b2', 'c1', 'a2'];
  const first = (row: string) => row.charAt(0);
  const read = (closed: string[]) => {
    const lines = grouped(rows, first, new Set(closed));
    return Array.from({ length: lines.length }, (_, line) => {
      const index = lines.at(line);
      return index < 0 ? lines.groups[-1 - index]?.value : rows[index];
    });
  };

  test('stand in the order of their first row, the rows as they came', () => {
    expect(read([])).toEqual(['b', 'b1', 'b2', 'a', 'a1', 'a2', 'c', 'c1']);
    expect(grouped(rows, first, new Set()).groups.map(({ count }) => count)).toEqual([2, 2, 1]);
  });

  test('show only their heading when closed', () => {
    expect(read(['b', 'c'])).toEqual(['b', 'a', 'a1', 'a2', 'c']);
  });

  test('none: each row is a line', () => {
    const lines = plain(3);
    expect([0, 1, 2].map(lines.at)).toEqual([0, 1, 2]);
  });
});

test('scrolling brings a line into view, and no further', () => {
  expect(reveal(0, view(100))).toBe(0);
  expect(reveal(10, view(100))).toBe(100);
  expect(reveal(40, view(100))).toBe(41 * 36 - 720);
});

test('a line is found in both directions', () => {
  const at = (wanted: number) => (line: number) => line === wanted;
  expect(find(100, 50, at(50))).toBe(50);
  expect(find(100, 50, at(0))).toBe(0);
  expect(find(100, 50, at(99))).toBe(99);
  expect(find(100, 500, at(3))).toBe(3);
  expect(find(100, 50, at(100))).toBeUndefined();
  expect(find(0, 0, at(0))).toBeUndefined();
});
