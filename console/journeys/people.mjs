// People, the tree, tokens and settings: what an administrator does in a first week.

import assert from 'node:assert/strict';

import { Table } from './table.mjs';
import { en, zh } from './words.mjs';

/** A person is made and invited; by the link an account is set up. */
async function person(stage, page) {
  stage.expect(/status of 4(00|04|09|22)/);
  await stage.show(page, '/people');
  await page.getByRole('button', { name: en('people.create_people') }).click();
  const dialog = page.getByRole('dialog', { name: en('people.create_people') });
  const create = dialog.getByRole('button', { name: en('people.create'), exact: true });
  await dialog.getByRole('textbox', { name: en('people.name') }).first().fill('No such name');
  await dialog.getByRole('textbox', { name: en('people.full_name') }).fill('王小明');
  await dialog.getByRole('textbox', { name: en('people.email') }).fill('ming@example.org');
  await create.click();
  await dialog.locator('[aria-invalid=true]').waitFor();
  await stage.shoot('person-refused', page);
  await dialog.getByRole('textbox', { name: en('people.name') }).first().fill('ming');
  await create.click();
  await page.waitForURL(/\/people\/per_/);
  await page.getByRole('heading', { level: 1, name: '王小明' }).waitFor();
  await stage.shoot('person', page);

  await page.getByRole('button', { name: en('people.invite') }).click();
  const sure = page.getByRole('dialog', { name: en('people.invite_name', { name: '王小明' }) });
  await sure.getByRole('button', { name: en('people.make_link') }).click();
  const made = page.getByRole('dialog', { name: en('people.link_for', { name: '王小明' }) });
  const link = await made.getByRole('textbox', { name: en('people.link') }).inputValue();
  assert.ok(link.startsWith(`${new URL(page.url()).origin}/activate/`), link);
  await made.getByRole('button', { name: en('ui.copy'), exact: true }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
  await made.getByRole('button', { name: en('people.i_have_it') }).click();
  const guest = await stage.window({ scripts: false });
  await guest.goto(link);
  assert.equal(await guest.locator('main form button[type=submit]').count(), 1);
  await guest.context().close();

  await stage.show(page, '/people?text=ming');
  assert.equal(await new Table(page, en('people.tab_people')).count(), 1);
}

/** The tree by the keyboard; a new node; a part of the tree narrows every page, and no longer. */
async function tree(stage, page) {
  await stage.show(page, '/tree');
  const tree = page.getByRole('tree', { name: en('tree.title') });
  const at = () => tree.evaluate((tree) => document.getElementById(tree.getAttribute('aria-activedescendant'))?.innerText.trim().split('\n')[0]);
  await tree.focus();
  assert.equal(await at(), 'acme');
  const root = tree.getByRole('treeitem', { level: 1 });
  if ((await root.getAttribute('aria-expanded')) !== 'true') await page.keyboard.press('ArrowRight');
  await tree.getByRole('treeitem', { name: 'shop' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await stage.until('the node below', async () => (await at()) === 'shop');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 2, name: 'shop' }).waitFor();
  await page.keyboard.press('ArrowLeft');
  await stage.until('the node above', async () => (await at()) === 'acme');
  await page.keyboard.press('ArrowLeft');
  await stage.until('the tree to be closed', async () => (await root.getAttribute('aria-expanded')) === 'false');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.getByRole('heading', { level: 2, name: 'acme' }).waitFor();
  await stage.shoot('tree', page);

  await page.getByRole('button', { name: en('tree.create'), exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: en('tree.name') }).fill('支付');
  await dialog.getByRole('button', { name: en('tree.create_verb'), exact: true }).click();
  await stage.told(page, en('tree.created', { name: '支付' }));
  await tree.getByRole('treeitem', { name: '支付' }).waitFor();

  const pays = (await stage.api(page, '/tree')).find(({ path }) => path.endsWith('支付'));
  await stage.show(page, `/tree?at=${pays.id}`);
  await page.getByRole('button', { name: en('tree.only_this') }).click();
  await page.waitForURL((url) => url.searchParams.get('node') === pays.id);
  await page.getByRole('link', { name: en('nav.alerts'), exact: true }).click();
  await page.waitForURL((url) => url.pathname === '/alerts' && url.searchParams.get('node') === pays.id);
  await page.getByText(en('alerts.hidden', { count: 7 })).waitFor();
  await page.getByRole('link', { name: en('nav.search'), exact: true }).click();
  await page.waitForURL((url) => url.pathname === '/search' && url.searchParams.get('node') === pays.id);
  await page.getByText(en('search.none_hint')).waitFor();
  await stage.shoot('scoped', page);
  await page.getByRole('banner').getByRole('button', { name: en('frame.whole_tree') }).click();
  await page.waitForURL((url) => !url.searchParams.has('node'));
  await page.getByRole('link', { name: en('nav.alerts'), exact: true }).click();
  await page.waitForURL((url) => url.pathname === '/alerts');
  await stage.settle(page);
  assert.equal(await new Table(page, en('alerts.alerts')).count(), 7);
}

/** A token is made for one purpose, shown once, and ended. */
async function token(stage, page) {
  await stage.show(page, '/settings/tokens');
  await page.getByRole('button', { name: en('people.create_token'), exact: true }).click();
  const dialog = page.getByRole('dialog', { name: en('people.create_token'), exact: true });
  await dialog.getByRole('textbox', { name: en('people.token_name') }).fill('wall screen');
  await dialog.getByRole('searchbox', { name: en('people.filter_verbs') }).fill('alert:list');
  await dialog.getByRole('checkbox', { name: 'list', exact: true }).check();
  await dialog.getByText(en('people.chosen', { count: 1 })).waitFor();
  await stage.shoot('token', page);
  await dialog.getByRole('button', { name: en('people.create'), exact: true }).click();
  const made = page.getByRole('dialog', { name: en('people.token_made') });
  const secret = await made.getByRole('textbox', { name: en('people.token'), exact: true }).inputValue();
  assert.ok(secret.length > 40);
  await made.getByRole('button', { name: en('people.i_have_it') }).click();
  await page.getByText('wall screen').waitFor();
  assert.equal((await page.content()).includes(secret), false, 'the secret is shown once');
  await stage.shoot('tokens', page);

  await page.getByRole('button', { name: en('people.end'), exact: true }).click();
  const sure = page.getByRole('dialog', { name: en('people.end_token', { name: 'wall screen' }) });
  await sure.getByRole('button', { name: en('people.end'), exact: true }).click();
  await stage.told(page, en('people.ended_token', { name: 'wall screen' }));
  await page.getByText('wall screen', { exact: true }).waitFor({ state: 'detached' });
}

/** How the console looks: chosen, kept, and seen. */
async function settings(stage, page) {
  await stage.show(page, '/settings');
  const choose = (group, value) => page.getByRole('radiogroup', { name: en(`settings.${group}`) }).getByText(value, { exact: true }).click();
  const shown = (name) => page.evaluate((name) => document.documentElement.dataset[name], name);
  const height = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--row-h').trim());
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await choose('theme', en('settings.theme_dark'));
  assert.equal(await shown('theme'), 'dark');
  assert.notEqual(await background(), light);
  await stage.shoot('settings-dark', page);
  const heights = [];
  for (const density of ['compact', 'cozy', 'comfortable']) {
    await choose('density', en(`settings.density_${density}`));
    assert.equal(await shown('density'), density);
    heights.push(Number.parseFloat(await height()));
  }
  assert.ok(heights[0] < heights[1] && heights[1] < heights[2], `rows of ${heights}`);
  await page.getByRole('combobox', { name: en('settings.zone') }).selectOption('Asia/Shanghai');
  const clock = page.getByRole('banner').locator('.zone');
  await clock.getByText('+08:00').waitFor();
  await page.getByRole('radiogroup', { name: en('settings.language') }).getByText('简体中文', { exact: true }).click();
  await page.getByRole('heading', { level: 1, name: zh('settings.title') }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');

  // All of it is kept.
  await stage.show(page, '/alerts');
  assert.deepEqual([await shown('theme'), await shown('density')], ['dark', 'comfortable']);
  await clock.getByText('+08:00').waitFor();
  await page.getByRole('heading', { level: 1, name: zh('alerts.alerts') }).waitFor();
  await stage.shoot('settings-kept', page);
}

export default async function (stage) {
  const page = await stage.enter();
  await person(stage, page);
  await tree(stage, page);
  await token(stage, page);
  for (const part of ['sessions', 'password', 'configuration', 'health', 'about']) {
    await stage.show(page, `/settings/${part}`);
    await stage.shoot(`settings-${part}`, page);
  }
  await settings(stage, page);
}
