import { describe, expect, it } from 'vitest';

import { fits, isWithin } from './fits';

describe('looking through a list', () => {
  it('wants every word somewhere, in any case', () => {
    expect(fits('BACK night', ['backup-runner', 'Nightly backups'])).toBe(true);
    expect(fits('backup day', ['backup-runner', 'Nightly backups'])).toBe(false);
    expect(fits('', ['anything'])).toBe(true);
  });

  it('takes a node and what is below it, and no neighbour with a longer name', () => {
    expect(isWithin('acme/shop', 'acme/shop')).toBe(true);
    expect(isWithin('acme/shop/checkout', 'acme/shop')).toBe(true);
    expect(isWithin('acme/shopping', 'acme/shop')).toBe(false);
    expect(isWithin('acme', '')).toBe(true);
  });
});
