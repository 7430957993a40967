// The bars of a histogram as paths: one path for a whole series, so that thousands of bars stay cheap.

import type { Color } from './levels';

export interface Bucket {
  /** Begin, in milliseconds. */
  start: number;
  /** A count for each series. */
  counts: number[];
}

export interface Series {
  name: string;
  words: string;
  color: Color;
}

export interface Scale {
  x: (at: number) => number;
  y: (count: number) => number;
  step: number;
  /** Where bars stand. */
  base: number;
}

/** The series from the bottom up: most severe at the bottom where they are grades, else as they come. */
export function upwards(series: readonly Series[]): number[] {
  const order = series.map((_, index) => index);
  return series[0]?.color.startsWith('sev-') ? order.reverse() : order;
}

/** A path for each series. Whatever is not 0 is seen. */
export function columns(buckets: readonly Bucket[], order: readonly number[], scale: Scale): string[] {
  const paths: string[][] = order.map(() => []);
  for (const { start, counts } of buckets) {
    const left = scale.x(start);
    const right = scale.x(start + scale.step);
    const gap = right - left > 4 ? 1 : 0;
    const width = Math.max(1, right - left - gap);
    let top = scale.base;
    for (const index of order) {
      const value = counts[index] ?? 0;
      if (value <= 0) continue;
      const height = Math.max(1.5, scale.base - scale.y(value));
      top -= height;
      paths[index]?.push(`M${round(left)} ${round(top)}h${round(width)}v${round(height)}h${round(-width)}Z`);
    }
  }
  return paths.map((path) => path.join(''));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
