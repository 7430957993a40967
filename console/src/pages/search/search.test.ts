import { describe, expect, it } from 'vitest';

import { around, ownFields } from './event';
import { hit, KEPT, numbered, place, value } from './hit';
import { isBalanced, scoped, unscoped, within } from './scope';
import { fieldBefore } from './spot';

describe('a filter within a part of the tree', () => {
  const scope = { state: 'nodes', path: 'acme', nodes: ['node_a', 'node_b'] } as const;

  it('finds only what is there', () => {
    expect(scoped('', scope)).toBe('node:(node_a or node_b)');
    expect(scoped('a or b', scope)).toBe('(a or b) node:(node_a or node_b)');
    expect(scoped('a or b', { state: 'all' })).toBe('a or b');
  });

  it('does not let a filter out of its brackets', () => {
    for (const refused of ['a) or (b', 'user:(a or', ')']) expect(scoped(refused, scope)).toBe(refused);
    for (const fine of ['(a)', 'user:(a or b)', '"a) or (b"', 'user:/a\\)/', 'a\\)']) expect(isBalanced(fine), fine).toBe(true);
  });

  it('points at the place in what somebody wrote', () => {
    const sent = scoped('a or or', scope);
    const told = `a term is missing\n${sent}\n      ^`;
    expect(unscoped(told, 'a or or', sent)).toBe('a term is missing\na or or\n     ^');
    expect(unscoped(told, sent, sent)).toBe(told);
    expect(unscoped('too long', 'a', '(a) b')).toBe('too long');
  });

  it('names the nodes of sources at a node and below, not beside it', () => {
    const sources = [{ path: 'acme/shop', node: 'n1' }, { path: 'acme/shop/live', node: 'n2' }, { path: 'acme/shop2', node: 'n3' }];
    expect(within('acme/shop', 'n1', sources)).toEqual(['n1', 'n2']);
    expect(within('acme/other', 'n9', sources)).toEqual(['n9']);
  });
});

describe('a row that is kept', () => {
  it('has no more of a value than is shown', () => {
    const kept = hit({ id: 7, received: '2026-11-22T10:00:00Z', raw: 'x'.repeat(KEPT + 1), host: 'web' });
    expect([kept.key, kept.cut, value(kept.row, 'raw').length]).toEqual(['7', ['raw'], KEPT]);
    expect(place(kept)).toEqual({ received: '2026-11-22T10:00:00Z', id: 7 });
  });

  it('of SQL has a number and no place', () => {
    const kept = numbered({ n: 1, host: null }, 3);
    expect([kept.key, value(kept.row, 'host'), place(kept)]).toEqual(['3', '', undefined]);
  });
});

describe('an event', () => {
  it('that is JSON has fields of its own', () => {
    expect(ownFields('{"order":{"id":40,"none":null},"tags":["a"],"ok":true}')).toEqual([['order.id', '40'], ['tags', '["a"]'], ['ok', 'true']]);
    for (const none of ['no JSON', '[1]', '{broken', '']) expect(ownFields(none), none).toEqual([]);
    expect(ownFields(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`)).toHaveLength(1);
  });

  it('lies in the middle of the time around it', () => {
    expect(around('2026-11-22T10:00:00Z', 60_000)).toEqual({ from: '2026-11-22T09:59:00.000Z', to: '2026-11-22T10:01:00.000Z' });
  });
});

describe('completion', () => {
  it('knows whose value is being written', () => {
    const cases: [string, string | undefined][] = [
      ['user:', 'user'], ['a user != ', 'user'], ['user:(root or ', 'user'], ['user:(', 'user'], ['-HOST=', 'host'],
      ['user:root ', undefined], ['user', undefined], ['user:(root) ', undefined],
    ];
    for (const [head, field] of cases) expect(fieldBefore(head), head).toBe(field);
  });
});
