// Figures for the gallery: the same each time, so that two pictures of it can be compared.

import type { Bucket } from '$/ui/histogram';

/** Numbers from 0 up to 1 that look random and are the same each time. */
export function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** Counts for each series; every seventh part of the time is empty, and one bucket stands out. */
export function buckets(count: number, series: number, start: number, step: number): Bucket[] {
  const next = noise(count * series);
  return Array.from({ length: count }, (_, index) => ({
    start: start + index * step,
    counts: Array.from({ length: series }, (_, place) => {
      if (Math.floor(index / 6) % 7 === 3) return 0;
      const peak = index === Math.floor(count * 0.7) ? 8 : 1;
      return Math.floor(next() * 12 * peak * (series - place));
    }),
  }));
}

/** A line with a gap. */
export function line(count: number, seed: number, start: number, step: number, base: number): [number, number | null][] {
  const next = noise(seed);
  let value = base;
  return Array.from({ length: count }, (_, index) => {
    value = Math.max(0, value + (next() - 0.5) * base * 0.3);
    const gap = index > count * 0.45 && index < count * 0.55;
    return [start + index * step, gap ? null : Math.round(value * 10) / 10];
  });
}
