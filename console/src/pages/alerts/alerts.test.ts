import { expect, test } from 'vitest';

import { around, raised } from './around';
import { complete } from './complete';
import { asked, narrowing, params, read, without } from './filters';
import { reasons } from './why';

const NOW = Date.parse('2026-11-22T13:00:00Z');

test('what the address says becomes what the server is asked', () => {
  const filters = read(new URLSearchParams('query=host:web-1&levels=critical,nonsense,high&from=1h'));
  expect(asked(filters, NOW)).toEqual({
    query: 'host:web-1',
    state: 'open,acknowledged',
    levels: 'high,critical',
    from: '2026-11-22T12:00:00.000Z',
  });
  expect(asked(read(new URLSearchParams('state=all')), NOW)).toEqual({});
  // The server says what is wrong with it.
  expect(asked(read(new URLSearchParams('from=yesterday')), NOW).from).toBe('yesterday');
});

test('the address of filters reads as the same filters', () => {
  const filters = read(new URLSearchParams('query=x&state=closed&levels=low&assignee=me&from=1h&to=5m&rule=r&entity=e&node=n'));
  expect(read(new URLSearchParams(params(filters)))).toEqual(filters);
  expect(params(read(new URLSearchParams())).state).toBe('');
});

test('each filter that narrows can be taken away', () => {
  const filters = read(new URLSearchParams('query=x&from=1h'));
  expect(narrowing(filters)).toEqual(['query', 'from', 'state']);
  const none = narrowing(filters).reduce(without, filters);
  expect(narrowing(none)).toEqual([]);
});

test('the id of an alert tells when it was raised', () => {
  expect(raised('alr_01M837695HFW3RNRM63YKS39K6')).toBe(Date.parse('2026-11-23T03:28:59.057Z'));
  expect(raised('alr_x')).toBeUndefined();
});

test('logs are searched by when they came, though their sender was late', () => {
  const alert = { id: 'alr_01M837695HFW3RNRM63YKS39K6', entity_kind: 'host', entity: 'web-1' };
  expect(around({ ...alert, first_seen: '2026-11-23T03:28:50Z', last_seen: '2026-11-23T03:38:50Z' })).toEqual({
    from: '2026-11-23T03:13:50.000Z',
    to: '2026-11-23T03:53:59.057Z',
  });
  expect(around({ ...alert, first_seen: '2026-11-22T13:09:00Z', last_seen: '2026-11-22T13:11:00Z' })).toEqual({
    from: '2026-11-22T12:54:00.000Z',
    to: '2026-11-23T03:45:59.057Z',
  });
});

test('reasons are told once for each field and test, the most frequent value first', () => {
  const why = (value: string) => ({ why: [{ field: 'cmd', test: 'contains "id"', value }] });
  expect(reasons([why('id'), why('id -a'), why('id -a')])).toEqual([
    { field: 'cmd', test: 'contains "id"', values: [{ value: 'id -a', count: 2 }, { value: 'id', count: 1 }] },
  ]);
});

test('fields and values are offered, and where they begin is counted in bytes', () => {
  expect(complete('is:un', undefined)).toEqual({ from: 3, items: ['unassigned'] });
  expect(complete('"é" level!=(high or cr', undefined)).toEqual({ from: 21, items: ['critical'] });
  expect(complete('ent', undefined)).toEqual({ from: 0, items: ['entity:', 'entity_kind:'] });
  const top = { rule: [{ value: 'r1', label: 'A scan', count: 2 }], entity: [], node: [] };
  expect(complete('title:', top)).toEqual({ from: 6, items: ['"A scan"'] });
});
