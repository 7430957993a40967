import { describe, expect, it } from 'vitest';

import type { CoveredDay, Source } from '$/api/schema';

import { weeks } from './coverage';
import { inOrder, standing } from './standing';

describe('the calendar of a source', () => {
  it('begins on a Monday and ends today', () => {
    // The 25th of November 2026 is a Wednesday.
    const shown = weeks('2026-11-25', 2, []);
    expect(shown.map((week) => week.map(({ day }) => day.slice(8)).join(' '))).toEqual(['16 17 18 19 20 21 22', '23 24 25']);
  });

  it('has a day for each that is told of', () => {
    const day = { day: '2026-11-24', state: 'partial' } as CoveredDay;
    const found = weeks('2026-11-25', 1, [day]).flat();
    expect(found.map(({ covered }) => covered?.state)).toEqual([undefined, 'partial', undefined]);
  });
});

describe('how a source stands', () => {
  const source = (name: string, part: Partial<Source>) =>
    ({ name, state: 'active', events: 1, refused: 0, now: { silent: false, rate: 0, refused: {} }, ...part }) as Source;
  const all = [
    source('off', { state: 'disabled', refused: 3 }), source('b', {}), source('a', {}), source('new', { events: 0 }),
    source('full', { refused: 1 }), source('still', { now: { silent: true, rate: 0, refused: {} } }),
  ];

  it('is one word, and what needs a look comes first', () => {
    expect(inOrder(all).map((one) => `${one.name} ${standing(one)}`)).toEqual([
      'still silent', 'full refused', 'new unheard', 'a active', 'b active', 'off disabled',
    ]);
  });
});
