import { expect, test } from 'vitest';

import { clicked, ordered, read, written } from './order';
import type { Column } from './table';

interface Row {
  host: string;
  count: number;
}

const HOST: Column<Row> = { key: 'host', title: 'Host', width: 100, text: ({ host }) => host };
const COUNT: Column<Row> = { key: 'count', title: 'Events', width: 100, align: 'end', text: ({ count }) => `${count} events`, order: ({ count }) => count };
const ROWS = [{ host: 'web-10', count: 5 }, { host: 'web-9', count: 12 }, { host: 'DB-1', count: 5 }];
const hosts = (sort: { key: string; down: boolean } | undefined) => ordered(ROWS, [HOST, COUNT], sort, 'en').map(({ host }) => host);

test('texts with figures stand in the order of the figures, in any case', () => {
  expect(hosts({ key: 'host', down: false })).toEqual(['DB-1', 'web-9', 'web-10']);
});

test('figures by their size; what is equal stays as it came', () => {
  expect(hosts({ key: 'count', down: true })).toEqual(['web-9', 'web-10', 'DB-1']);
  expect(hosts({ key: 'count', down: false })).toEqual(['web-10', 'DB-1', 'web-9']);
});

test('an unknown column sorts nothing', () => {
  expect(hosts({ key: 'gone', down: false })).toEqual(['web-10', 'web-9', 'DB-1']);
  expect(hosts(undefined)).toEqual(['web-10', 'web-9', 'DB-1']);
});

test('the address says it and is read again', () => {
  for (const sort of [{ key: 'host', down: false }, { key: 'count', down: true }]) expect(read(written(sort))).toEqual(sort);
  expect(read('')).toBeUndefined();
});

test('figures begin with the greatest, a second click turns around', () => {
  expect(clicked(COUNT, undefined)).toEqual({ key: 'count', down: true });
  expect(clicked(HOST, { key: 'count', down: true })).toEqual({ key: 'host', down: false });
  expect(clicked(HOST, { key: 'host', down: false })).toEqual({ key: 'host', down: true });
});
