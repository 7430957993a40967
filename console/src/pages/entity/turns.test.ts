import { expect, test } from 'vitest';

import { inTurn } from './turns';

test('one runs after the other, also behind one that failed, and what nobody waits for does not run', async () => {
  const log: string[] = [];
  const { signal } = new AbortController();
  const stopped = new AbortController();
  const step = (name: string) => async () => {
    log.push(`${name} begins`);
    await Promise.resolve();
    log.push(`${name} ends`);
    return name;
  };
  const first = inTurn(step('a'), signal);
  const broken = inTurn(() => Promise.reject(new Error('no')), signal);
  const gone = inTurn(step('b'), stopped.signal);
  const final = inTurn(step('c'), signal);
  stopped.abort();
  await expect(first).resolves.toBe('a');
  await expect(broken).rejects.toThrow('no');
  await expect(gone).rejects.toThrow();
  await expect(final).resolves.toBe('c');
  expect(log).toEqual(['a begins', 'a ends', 'c begins', 'c ends']);
});
