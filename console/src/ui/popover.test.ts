import { expect, test } from 'vitest';

import { place } from './popover';

const SCREEN = { width: 1280, height: 720 };
const MENU = { width: 200, height: 300 };
const at = (left: number, top: number) => ({ left, top, width: 100, height: 32 });

test('below what opened it', () => {
  expect(place(at(50, 100), MENU, SCREEN)).toEqual({ left: 50, top: 136, height: 300 });
});

test('above where there is more space', () => {
  expect(place(at(50, 600), MENU, SCREEN)).toEqual({ left: 50, top: 296, height: 300 });
});

test('as high as there is space, in the larger part', () => {
  const { top, height } = place(at(50, 100), { width: 200, height: 2000 }, SCREEN);
  expect(top).toBe(136);
  expect(top + height).toBe(SCREEN.height - 8);
});

test('never off the screen', () => {
  expect(place(at(1240, 100), MENU, SCREEN).left).toBe(1280 - 200 - 8);
  expect(place(at(20, 100), MENU, SCREEN, true).left).toBe(8);
  expect(place(at(10, 100), { width: 400, height: 100 }, { width: 320, height: 600 }).left).toBe(8);
});
