import { describe, expect, it } from 'vitest';

import { plain } from './secret';

describe('values of the configuration', () => {
  it('show dots for what is secret, and the rest', () => {
    expect(plain({ value: 'postgres://garrison:(secret)@db/garrison', secret: true })).toBe('postgres://garrison:••••••••@db/garrison');
    expect(plain({ value: '(secret)', secret: true })).toBe('••••••••');
  });

  it('show nothing but dots where it is not told which part is secret', () => {
    expect(plain({ value: 'hunter2', secret: true })).toBe('••••••••');
  });

  it('leave what is not secret as it is', () => {
    expect(plain({ value: 'the word (secret)', secret: false })).toBe('the word (secret)');
  });
});
