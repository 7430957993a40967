import { expect, test } from 'vitest';

import { match } from './match';

test.each([
  ['/', '/', {}],
  ['/alerts', '/alerts', {}],
  ['/alerts', '/alerts/', {}],
  ['/alerts/:alert', '/alerts/alt_1', { alert: 'alt_1' }],
  ['/host/:name', '/host/a%2Fb%20c', { name: 'a/b c' }],
  ['/user/:name', '/user/%E5%BC%A0%E4%B8%89', { name: '张三' }],
  ['/address/:name', '/address/2001:db8::1', { name: '2001:db8::1' }],
])('%s fits %s', (pattern, path, values) => expect(match(pattern, path)).toEqual(values));

test.each([
  ['/alerts', '/'],
  ['/alerts', '/alerts/alt_1'],
  ['/alerts/:alert', '/alerts'],
  ['/alerts/:alert', '/rules/alt_1'],
  ['/host/:name', '/host/a/b'],
  ['/host/:name', '/host/%E5%BC'],
])('%s does not fit %s', (pattern, path) => expect(match(pattern, path)).toBeUndefined());
