import { expect, test } from 'vitest';

import { grouped, seen, type Seen } from './events';

const at = (second: number) => Date.parse('2026-11-22T13:00:00Z') + second * 1000;
const event = (id: string, second: number, what = 'cron'): Seen => ({ id, at: at(second), claimed: true, lane: 'event', what, raw: `line ${id}` });

test('an event has the time that it claims, unless the clock of its sender is wrong', () => {
  const row = { id: 7, received: '2026-11-22T13:00:00Z', kind: 'sshd', user: 'carol', program: 'sshd', raw: 'x' };
  expect(seen({ ...row, claimed: '2026-11-22T12:00:00Z' })).toMatchObject({ at: at(-3600), claimed: true, lane: 'login' });
  expect(seen({ ...row, claimed: '2026-11-23T12:00:00Z' })).toMatchObject({ at: at(0), claimed: false });
  expect(seen(row)).toMatchObject({ at: at(0), claimed: false });
  expect(seen({ ...row, user: null })).toMatchObject({ lane: 'event' });
});

test('what is alike and close together is one entry', () => {
  const found = grouped([event('1', 0), event('2', 30), event('3', 60), event('4', 200), event('5', 31, 'sshd')]);
  expect(found.map(({ id, count, since }) => [id, count, since])).toEqual([
    ['4', 1, at(200)],
    ['3', 3, at(0)],
    ['5', 1, at(31)],
  ]);
});

test('an entry does not reach across something else', () => {
  const found = grouped([event('1', 0), event('2', 20)], [at(10)]);
  expect(found.map(({ id, count }) => [id, count])).toEqual([['2', 1], ['1', 1]]);
});
