import { expect, test } from 'vitest';

import { put, searchOf } from './views';

test('the same parameters are the same view, in whichever order, whatever is open', () => {
  expect(searchOf('?state=open&level=high&open=a1')).toBe(searchOf('?level=high&state=open'));
  expect(searchOf('?open=a1')).toBe('');
});

test('a view of the same name is written over; the rest stays', () => {
  const views = put(put(put([], { name: 'Mine', search: '?a=1' }), { name: 'All', search: '' }), { name: 'Mine', search: '?a=2' });
  expect(views).toEqual([{ name: 'All', search: '' }, { name: 'Mine', search: '?a=2' }]);
});
