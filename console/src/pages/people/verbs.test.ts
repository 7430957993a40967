import { describe, expect, it } from 'vitest';

import { byNoun, compact } from './verbs';

describe('verbs of a token', () => {
  it('stand by their nouns, in order, each once', () => {
    expect(byNoun(['node:show', 'alert:list', 'node:list', 'node:show'])).toEqual([
      { noun: 'alert', verbs: ['alert:list'] },
      { noun: 'node', verbs: ['node:list', 'node:show'] },
    ]);
  });

  it('are told one by one, also where a noun was chosen in full', () => {
    expect(compact(new Set(['node:show', 'node:list']), ['node:list', 'node:show', 'alert:list'])).toEqual(['node:list', 'node:show']);
  });

  it('are told by nouns where they are more than a token may name', () => {
    const many = Array.from({ length: 101 }, (_, index) => `node:verb-${index}`);
    expect(compact(new Set([...many, 'alert:list']), [...many, 'alert:list', 'alert:show'])).toEqual(['alert:list', 'node:*']);
  });
});
