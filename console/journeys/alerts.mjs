// An analyst finds the alert of the web shell, sees why it fired, follows the attacker, and is done with it; then with all.

import assert from 'node:assert/strict';

import { Table } from './table.mjs';
import { en, pattern } from './words.mjs';

const ATTACKER = '203.0.113.24';
const QUERY = `ip:${ATTACKER} upload`;

/** The alerts of the API that fit. */
async function alerts(stage, page, query = '') {
  return (await stage.api(page, `/alert?limit=500${query}`)).items;
}

/** The panel beside the list. */
const flyout = (page) => page.locator('.flyout[role=dialog]');

/** Finds the alert by the filter, opens it, and gives it as the API has it. */
async function find(stage, page) {
  await stage.show(page, '/alerts');
  const table = new Table(page, en('alerts.alerts'));
  const all = await table.count();
  await page.keyboard.press('/');
  await page.keyboard.type(QUERY);
  await page.keyboard.press('Enter');
  await stage.until('the filter to count', async () => (await table.count()) === 1);
  assert.equal(new URL(page.url()).searchParams.get('query'), QUERY);
  assert.ok(all > 1);
  const [alert] = await alerts(stage, page, `&query=${encodeURIComponent(QUERY)}`);
  await table.open(table.with(alert.title));
  await page.getByRole('dialog', { name: alert.title }).waitFor();
  await stage.settle(page);
  return alert;
}

/** Why it fired: each predicate with what the events say. */
async function why(stage, page) {
  const panel = flyout(page);
  const rows = panel.getByRole('row').filter({ has: page.getByRole('rowheader') });
  const told = await rows.allInnerTexts();
  assert.ok(told.length >= 2 && told.join(' ').includes('cache.php'), `why: ${told}`);
  await stage.shoot('alert-why', page);
  await panel.getByRole('button', { name: en('alerts.judge'), exact: true }).click();
  await stage.settle(page);
  assert.ok((await panel.getByText(en('detections.holds'), { exact: true }).count()) >= 2, 'predicates that are true');
  await stage.shoot('alert-judged', page);
}

/** To its events, the address and the host, and back to where one was. */
async function pivot(stage, page, alert) {
  const before = page.url();
  await flyout(page).getByRole('link', { name: en('alerts.in_logs') }).first().click();
  await page.waitForURL('**/search?**');
  const found = new Table(page, en('search.rows'));
  await found.with('cache.php').first().waitFor();
  await page.goBack();
  await page.getByRole('dialog', { name: alert.title }).waitFor();
  assert.equal(page.url(), before);

  await flyout(page).getByRole('link', { name: en('alerts.open_entity') }).click();
  await page.waitForURL(`**/address/${ATTACKER}*`);
  await page.getByRole('heading', { level: 1, name: ATTACKER }).waitFor();
  await stage.settle(page);
  const story = page.getByRole('region', { name: en('chart.timeline') });
  assert.ok((await story.getByRole('listitem').count()) > 3, 'a timeline of what the address did');
  await stage.shoot('address', page);

  const facts = page.getByRole('complementary', { name: en('entity.facts') });
  await facts.getByRole('link', { name: 'web-1', exact: true }).first().click();
  await page.waitForURL('**/host/web-1*');
  await page.getByRole('heading', { level: 1, name: 'web-1' }).waitFor();
  await stage.settle(page);
  await stage.shoot('host', page);
  await page.goBack();
  await page.waitForURL(`**/address/${ATTACKER}*`);
  await page.goBack();
  await page.getByRole('dialog', { name: alert.title }).waitFor();
  assert.equal(page.url(), before);
}

/** Acknowledge, assign, close with a reason, and take the closing back. */
async function handle(stage, page, alert) {
  const now = async () => stage.api(page, `/alert/${alert.id}`);
  const panel = flyout(page);
  await panel.getByRole('button', { name: en('alerts.acknowledge') }).click();
  await stage.told(page, en('alerts.done_acknowledge', { count: 1 }));
  assert.equal((await now()).state, 'acknowledged');
  await panel.getByRole('button', { name: en('alerts.assign') }).click();
  await stage.told(page, en('alerts.done_assign', { count: 1 }));
  const me = await stage.api(page, '/whoami');
  assert.equal((await now()).assignee, me.id);
  await panel.getByText(en('alerts.assigned_to', { name: me.name })).waitFor();

  await panel.getByRole('button', { name: en('alerts.close'), exact: false }).click();
  const dialog = page.getByRole('dialog', { name: en('alerts.close_title', { count: 1 }) });
  const confirm = dialog.getByRole('button', { name: en('alerts.close_verb', { count: 1 }), exact: true }).last();
  await confirm.click();
  await dialog.getByText(en('alerts.reason_missing')).waitFor();
  await dialog.getByText(en('alerts.note_missing')).waitFor();
  await stage.shoot('alert-close', page);
  await dialog.getByRole('radio', { name: en('alerts.reason_true_positive') }).check();
  await dialog.getByRole('textbox', { name: en('alerts.note') }).fill('A web shell in the picture folder of web-1');
  await confirm.click();
  await stage.told(page, en('alerts.done_close', { count: 1 }));
  const closed = await now();
  assert.deepEqual([closed.state, closed.reason, closed.note], ['closed', 'true_positive', 'A web shell in the picture folder of web-1']);

  await page.getByRole('status', { name: en('ui.toasts') }).getByRole('button', { name: en('ui.undo') }).last().click();
  await stage.told(page, en('alerts.undone', { count: 1 }));
  assert.equal((await now()).state, 'acknowledged');
  await panel.getByText(en('alerts.state_acknowledged'), { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).searchParams.get('open'), null);
}

/** The menu of a cell filters; going back takes the filter away. */
async function filter(stage, page) {
  await stage.show(page, '/alerts');
  const table = new Table(page, en('alerts.alerts'));
  const all = await table.count();
  await table.choose(table.with(en('chart.level_medium')).first(), en('alerts.level'), en('ui.filter_out'));
  await stage.until('fewer rows', async () => (await table.count()) < all);
  assert.equal(await table.rows.getByText(en('chart.level_medium')).count(), 0);
  await page.goBack();
  await stage.until('all rows again', async () => (await table.count()) === all);
  await table.choose(table.with(ATTACKER).first(), en('alerts.entity'), en('ui.filter_in'));
  await stage.until('only those of the address', async () => (await table.count()) === (await table.with(ATTACKER).count()));
  assert.match(new URL(page.url()).searchParams.get('query'), /203\.0\.113\.24/);
  await page.goBack();
  await stage.until('all rows again', async () => (await table.count()) === all);
}

/** Closes all, and takes it back: each is what it was. */
async function bulk(stage, page) {
  const states = async () => Object.fromEntries((await alerts(stage, page)).map(({ id, state, assignee }) => [id, `${state} ${assignee}`]));
  await stage.show(page, '/alerts');
  const table = new Table(page, en('alerts.alerts'));
  const before = await states();
  const count = await table.count();
  await table.selectAll();
  const tools = page.getByRole('group', { name: en('ui.selected', { count }) });
  await stage.shoot('alerts-selected', page);
  await tools.getByRole('button', { name: en('alerts.close') }).click();
  const dialog = page.getByRole('dialog', { name: en('alerts.close_title', { count }) });
  await dialog.getByRole('radio', { name: en('alerts.reason_benign') }).check();
  await dialog.getByRole('textbox', { name: en('alerts.note') }).fill('An exercise');
  await dialog.getByRole('button', { name: en('alerts.close_verb', { count }), exact: true }).last().click();
  await stage.told(page, en('alerts.done_close', { count }));
  assert.ok(Object.values(await states()).every((state) => state.startsWith('closed')), 'all are closed');
  await stage.shoot('alerts-closed', page);
  await page.getByRole('status', { name: en('ui.toasts') }).getByRole('button', { name: en('ui.undo') }).last().click();
  await stage.told(page, en('alerts.undone', { count }));
  assert.deepEqual(await states(), before);
}

export default async function (stage) {
  const page = await stage.enter();
  const alert = await find(stage, page);
  await why(stage, page);
  await pivot(stage, page, alert);
  await handle(stage, page, alert);
  await filter(stage, page);
  await bulk(stage, page);

  // The page of the alert shows the same, and what was done stands in its history.
  await stage.show(page, `/alerts/${alert.id}`);
  await page.getByRole('heading', { level: 1, name: alert.title }).waitFor();
  for (const done of ['acknowledge', 'assign', 'close', 'reopen']) {
    await page.getByText(pattern(en, `alerts.op_${done}`, [])).first().waitFor();
  }
  await stage.shoot('alert-page', page);
}
