// The whole console without a mouse.

import assert from 'node:assert/strict';

import { Table } from './table.mjs';
import { en } from './words.mjs';

const LEADS = {
  h: '/', a: '/alerts', s: '/search', d: '/detections', o: '/sources', p: '/people', t: '/tree', u: '/audit', r: '/reviews', ',': '/settings',
};

/** What has the focus: its name, and whether one sees that it has. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const box = element.getBoundingClientRect();
    // A radio button that is not drawn shows its focus at its label, a tree at the node that one is at.
    const active = document.getElementById(element.getAttribute('aria-activedescendant') ?? '');
    const drawn = [element, active, element.closest('label'), element.parentElement, element.closest('.box')].filter(Boolean);
    // Within a field for a date the browser itself shows which part has it.
    const isSeen = element.type === 'date' || drawn.some((one) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
      return (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
    });
    return {
      what: element.outerHTML.slice(0, 160),
      name: (element.getAttribute('aria-label') ?? element.innerText ?? '').trim(),
      isSeen: isSeen && box.width > 0 && box.bottom > 0 && box.top < window.innerHeight && box.right > 0 && box.left < window.innerWidth,
      isBody: element === document.body,
    };
  });
}

/** Presses Tab until something is reached; each stop on the way must be seen. */
async function tabTo(page, wanted) {
  const passed = [];
  for (let press = 0; press < 80; press += 1) {
    await page.keyboard.press('Tab');
    const at = await focused(page);
    if (at.isBody) continue;
    assert.ok(at.isSeen, `the focus is seen: ${at.what}`);
    passed.push(at.name);
    if (wanted(at)) return at;
  }
  throw new Error(`not reached by Tab: ${passed.join(' | ')}`);
}

const within = (page, selector) => page.evaluate((selector) => document.activeElement?.closest(selector) !== null, selector);

/** The link to the content, the pages, and the keys that lead to each of them. */
async function ways(stage, page) {
  await stage.show(page, '/');
  await page.keyboard.press('Tab');
  assert.equal((await focused(page)).name, en('frame.skip'));
  await page.keyboard.press('Enter');
  assert.ok(await within(page, '#main'), 'the content has the focus');
  await stage.show(page, '/');
  await tabTo(page, ({ name }) => name === en('nav.alerts'));
  await stage.shoot('keyboard-focus', page);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/alerts');
  await page.getByRole('heading', { level: 1, name: en('alerts.alerts') }).waitFor();
  assert.ok(await within(page, '#main'));
  for (const [key, path] of Object.entries(LEADS)) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForURL((url) => url.pathname === path);
    await page.locator('main h1').first().waitFor();
  }
}

/** The help keeps the focus inside, and gives it back. */
async function help(stage, page) {
  await stage.show(page, '/alerts');
  const table = new Table(page, en('alerts.alerts'));
  await page.keyboard.press('j');
  assert.ok(await within(page, '[role=grid]'));
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: en('frame.help') });
  await dialog.waitFor();
  for (const words of ['ui.key_next', 'frame.palette', 'alerts.acknowledge', 'nav.search']) {
    await dialog.getByText(en(words), { exact: true }).first().waitFor();
  }
  for (let press = 0; press < 6; press += 1) {
    await page.keyboard.press('Tab');
    assert.ok((await within(page, 'dialog')) || (await focused(page)).isBody, 'the focus stays in the dialog');
  }
  await page.keyboard.press('j');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.ok(await within(page, '[role=grid]'), 'the focus is back in the table');
  assert.equal(await table.grid.locator('[role=row]:focus-within').getAttribute('aria-rowindex'), '2', 'the keys went to the dialog alone');
}

/** The palette finds pages, addresses and actions; Chinese names also by their sounds. */
async function palette(stage, page) {
  const { id } = await stage.ask({ do: 'node', name: '支付网关' });
  const ask = async (typed, wanted) => {
    await page.keyboard.press('ControlOrMeta+k');
    const field = page.getByRole('combobox', { name: en('frame.palette') });
    await field.waitFor();
    assert.equal(await field.evaluate((input) => input === document.activeElement), true);
    await page.keyboard.type(typed);
    const option = page.getByRole('listbox', { name: en('frame.palette') }).getByRole('option').filter({ hasText: wanted }).first();
    await option.waitFor();
    for (let press = 0; (await option.getAttribute('aria-selected')) !== 'true'; press += 1) {
      assert.ok(press < 50, `${wanted} can be chosen`);
      await page.keyboard.press('ArrowDown');
    }
    await page.keyboard.press('Enter');
    await field.waitFor({ state: 'detached' });
  };
  await stage.show(page, '/');
  await ask('audit', en('nav.audit'));
  await page.waitForURL('**/audit');
  await ask('203.0.113.24', en('palette.open_address', { name: '203.0.113.24' }));
  await page.waitForURL('**/address/203.0.113.24');
  for (const typed of ['zhifu', 'zfwg', '网关']) {
    await stage.show(page, '/alerts');
    await ask(typed, '支付网关');
    await page.waitForURL((url) => url.searchParams.get('node') === id);
  }
  await stage.shoot('keyboard-scoped', page);
  await stage.show(page, '/');
  await ask(en('frame.theme_dark'), en('frame.theme_dark'));
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await ask(en('frame.theme_auto'), en('frame.theme_auto'));
}

/** Rows: up and down, into the panel and back, chosen and dealt with. */
async function rows(stage, page) {
  await stage.show(page, '/alerts');
  const table = new Table(page, en('alerts.alerts'));
  const at = async () => Number(await table.grid.locator('[role=row]:focus-within').getAttribute('aria-rowindex')) - 1;
  for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key);
  await stage.until('the second row', async () => (await at()) === 2);
  await page.keyboard.press('End');
  await stage.until('the last row', async () => (await at()) === (await table.count()));
  await page.keyboard.press('Home');
  await stage.until('the first row', async () => (await at()) === 1);

  await page.keyboard.press('Enter');
  const panel = page.locator('.flyout[role=dialog]');
  await panel.waitFor();
  assert.ok(await within(page, '.flyout'));
  const open = () => new URL(page.url()).searchParams.get('open');
  const first = open();
  await page.keyboard.press('j');
  await stage.until('the panel to follow', async () => open() !== first);
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  await stage.until('the focus to be back', () => within(page, '[role=grid]'));

  await page.keyboard.press('x');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.getByRole('group', { name: en('ui.selected', { count: 2 }) }).waitFor();
  await page.keyboard.press('a');
  await stage.told(page, en('alerts.done_assign', { count: 2 }));
  await page.keyboard.press('x');
  await page.keyboard.press('k');
  await page.keyboard.press('x');

  await page.keyboard.press('e');
  await stage.told(page, en('alerts.done_acknowledge', { count: 1 }));
  await page.keyboard.press('s');
  const dialog = page.getByRole('dialog', { name: en('alerts.close_title', { count: 1 }) });
  await dialog.waitFor();
  assert.ok(await within(page, 'dialog'));
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await stage.until('the focus to be back', () => within(page, '[role=grid]'));

  await page.keyboard.press('m');
  const menu = page.getByRole('menu');
  await menu.waitFor();
  assert.ok(await within(page, '[role=menu]'));
  await page.keyboard.press('ArrowDown');
  await stage.shoot('keyboard-menu', page);
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'detached' });
  assert.ok(await within(page, '[role=gridcell]'));

  await page.keyboard.press('Shift+Enter');
  await page.waitForURL('**/alerts/alr_*');
  await page.goBack();
  await page.waitForURL((url) => url.pathname === '/alerts');
  await table.rows.first().waitFor();
  await page.keyboard.press('/');
  assert.equal((await focused(page)).name, en('alerts.filter'));
}

/** Every page can be walked through by Tab, and its end is reached. */
async function walk(stage, page) {
  for (const path of Object.values(LEADS)) {
    await stage.show(page, path);
    const seen = new Set();
    for (let press = 0; press < 200; press += 1) {
      await page.keyboard.press('Tab');
      const at = await focused(page);
      // Behind the last stop the browser itself has the focus.
      if (at.isBody) break;
      assert.ok(at.isSeen, `${path}: the focus is seen: ${at.what}`);
      seen.add(at.what);
    }
    assert.ok(seen.size > 10, `${path}: ${seen.size} stops`);
    assert.ok((await focused(page)).isBody, `${path}: Tab leads out of the page`);
  }
}

export default async function (stage) {
  const page = await stage.enter();
  await ways(stage, page);
  await help(stage, page);
  await palette(stage, page);
  await rows(stage, page);
  await walk(stage, page);
}
