import { describe, expect, it } from 'vitest';

import { step, type Line } from './walk';

const lines: Line[] = [
  { key: 'acme', level: 1, open: true },
  { key: 'shop', level: 2, open: true },
  { key: 'checkout', level: 3 },
  { key: 'stock', level: 2, open: false },
  { key: 'more', level: 2 },
];

describe('keys in a tree', () => {
  it('go down and up, and stay at the ends', () => {
    expect(step(lines, 'acme', 'ArrowDown')).toEqual({ to: 'shop' });
    expect(step(lines, 'more', 'ArrowDown')).toEqual({ to: 'more' });
    expect(step(lines, 'acme', 'ArrowUp')).toEqual({ to: 'acme' });
    expect(step(lines, 'acme', 'End')).toEqual({ to: 'more' });
    expect(step(lines, 'stock', 'Home')).toEqual({ to: 'acme' });
  });

  it('open what is closed, then go in; close what is open, then go out', () => {
    expect(step(lines, 'stock', 'ArrowRight')).toEqual({ open: 'stock' });
    expect(step(lines, 'shop', 'ArrowRight')).toEqual({ to: 'checkout' });
    expect(step(lines, 'checkout', 'ArrowRight')).toEqual({ to: 'checkout' });
    expect(step(lines, 'shop', 'ArrowLeft')).toEqual({ close: 'shop' });
    expect(step(lines, 'checkout', 'ArrowLeft')).toEqual({ to: 'shop' });
    expect(step(lines, 'stock', 'ArrowLeft')).toEqual({ to: 'acme' });
  });

  it('choose, and leave other keys to the page', () => {
    expect(step(lines, 'stock', 'Enter')).toEqual({ choose: 'stock' });
    expect(step(lines, 'stock', ' ')).toEqual({ choose: 'stock' });
    expect(step(lines, 'stock', 'Tab')).toBeUndefined();
  });

  it('begin at the top where one is at no line that is there', () => {
    expect(step(lines, 'gone', 'ArrowDown')).toEqual({ to: 'acme' });
    expect(step(lines, 'gone', 'ArrowLeft')).toBeUndefined();
    expect(step([], '', 'ArrowDown')).toBeUndefined();
  });
});
