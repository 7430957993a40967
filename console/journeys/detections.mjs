// What the rules look for: as a list, as a matrix, one by one; and a box to try an event.

import assert from 'node:assert/strict';

import { Table } from './table.mjs';
import { en } from './words.mjs';

/** The list: filtered by text and level, sorted, with what each rule brought. */
async function list(stage, page) {
  await stage.show(page, '/detections');
  const table = new Table(page, en('detections.table'));
  const rules = (await stage.api(page, '/rule?limit=500')).items;
  await stage.shoot('detections', page);
  await table.grid.getByRole('columnheader', { name: en('detections.hits') }).getByRole('button').click();
  await page.waitForURL(/sort=/);
  await stage.settle(page);
  const most = Math.max(...rules.map(({ hits }) => hits));
  const first = await (await table.cell(table.rows.first(), en('detections.hits'))).innerText();
  assert.equal(Number(first.replaceAll(',', '')), most, 'the rule with most hits comes first');

  await page.keyboard.press('/');
  await page.keyboard.type('ssh');
  await page.waitForURL(/text=ssh/);
  await stage.settle(page);
  const found = (await stage.api(page, '/rule?limit=500&text=ssh')).items;
  assert.ok(found.length > 0 && found.length < rules.length);
  assert.equal(await table.count(), found.length);
  await page.getByRole('combobox', { name: en('detections.filter_level') }).selectOption('high');
  await stage.settle(page);
  assert.equal(await table.count(), (await stage.api(page, '/rule?limit=500&text=ssh&level=high')).items.length);
}

/** The matrix: a technique leads to its rules; the same as a table. */
async function matrix(stage, page) {
  await stage.show(page, '/detections');
  await page.getByRole('tab', { name: en('detections.view_matrix') }).click();
  const map = page.getByRole('region', { name: en('detections.matrix') });
  await map.waitFor();
  await stage.settle(page);
  const cells = await map.getByRole('link').count();
  assert.ok(cells > 10, `${cells} techniques`);
  await stage.shoot('matrix', page);
  await page.getByRole('radiogroup', { name: en('detections.heat_by') }).getByText(en('detections.heat_alerts'), { exact: true }).click();
  await page.waitForURL(/heat=alerts/);
  await page.getByRole('radiogroup', { name: en('detections.shown_as') }).locator('label', { hasText: en('detections.as_table') }).click();
  const table = page.getByRole('table', { name: en('detections.matrix') });
  assert.equal(await table.getByRole('link').count(), cells);
  await stage.shoot('matrix-table', page);
  await table.getByRole('link').first().click();
  await page.waitForURL(/technique=/);
  await stage.settle(page);
  assert.ok((await new Table(page, en('detections.table')).count()) >= 1);
}

/** One rule: what it looks for, its source, its alerts. */
async function rule(stage, page) {
  const { items } = await stage.api(page, '/rule?limit=500');
  const fired = items.find(({ alerts, techniques }) => alerts > 0 && techniques.length > 0);
  await stage.show(page, `/detections/${fired.id}`);
  await page.getByRole('heading', { level: 1, name: fired.title }).waitFor();
  await page.getByText(en('detections.matches_when')).waitFor();
  await stage.shoot('rule', page);
  await page.getByRole('tab', { name: en('detections.tab_source') }).click();
  await page.getByText(`id: ${fired.id}`).waitFor();
  await page.getByRole('tab', { name: en('detections.tab_alerts') }).click();
  await stage.settle(page);
  assert.ok((await new Table(page, en('detections.rule_alerts')).count()) >= 1);
  await stage.shoot('rule-alerts', page);
  return fired;
}

/** An event that sets it off, and one that does not: each predicate says true or false. */
async function trial(stage, page, fired) {
  await stage.show(page, `/detections/${fired.id}?tab=test`);
  const field = page.getByRole('textbox', { name: en('detections.event'), exact: true });
  await page.getByRole('button', { name: en('detections.take_last') }).click();
  await page.getByText(en('detections.would_alert')).waitFor();
  const steps = page.locator('.condition');
  assert.ok((await steps.getByText(en('detections.holds'), { exact: true }).count()) >= 1);
  await stage.shoot('rule-true', page);

  await field.fill('{"message": "nothing of the kind"}');
  await page.getByText(en('detections.trial_stale')).waitFor();
  await page.keyboard.press('ControlOrMeta+Enter');
  await page.getByText(en('detections.no_alert')).waitFor();
  assert.equal(await page.getByText(en('detections.trial_stale')).count(), 0);
  assert.ok((await steps.getByText(en('detections.fails'), { exact: true }).count()) >= 1);
  await steps.getByText(en('detections.event_lacks')).first().waitFor();
  await stage.shoot('rule-false', page);
}

/** An event that was found in the logs is handed over and tried. */
async function handed(stage, page, fired) {
  await stage.show(page, '/search?from=1h&query=cache.php');
  const found = new Table(page, en('search.rows'));
  await found.open(found.rows.first());
  await page.getByRole('link', { name: en('search.as_test') }).click();
  await page.getByText(en('detections.handed')).waitFor();
  await stage.settle(page);
  await stage.shoot('detections-handed', page);
  await page.getByRole('searchbox', { name: en('detections.filter_text') }).fill(fired.id);
  await page.waitForURL(/text=/);
  await stage.settle(page);
  const rules = new Table(page, en('detections.table'));
  await rules.open(rules.rows.first());
  await page.waitForURL(`**/detections/${fired.id}?tab=test`);
  const field = page.getByRole('textbox', { name: en('detections.event'), exact: true });
  assert.match(await field.inputValue(), /cache\.php/);
  await page.getByText(en('detections.step_by_step')).waitFor();
}

export default async function (stage) {
  const page = await stage.enter();
  await list(stage, page);
  await matrix(stage, page);
  const fired = await rule(stage, page);
  await trial(stage, page, fired);
  await handed(stage, page, fired);
}
