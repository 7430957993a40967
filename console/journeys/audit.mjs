// Who looks after the others: what stands in the record, the proof of one record checked by the browser, and a review that
// an auditor judges and signs.

import assert from 'node:assert/strict';

import { Table } from './table.mjs';
import { en, pattern } from './words.mjs';

/** The record by operation, by person and by result; a row in full. */
async function filter(stage, page) {
  await stage.show(page, '/audit');
  const table = new Table(page, en('audit.table'));
  await table.rows.first().waitFor();
  await stage.shoot('audit', page);
  await page.getByRole('textbox', { name: en('audit.operation'), exact: true }).fill('source:create');
  await page.keyboard.press('Enter');
  await page.waitForURL(/operation=source/);
  await stage.settle(page);
  assert.equal(await table.count(), (await stage.api(page, '/audit?operation=source:create')).items.length);
  assert.equal(await table.with('source:create').count(), await table.rows.count());
  await page.getByRole('textbox', { name: en('audit.actor'), exact: true }).fill('nobody-of-this-name');
  await page.keyboard.press('Enter');
  await page.getByText(en('audit.nobody', { name: 'nobody-of-this-name' })).waitFor();
  await page.getByRole('textbox', { name: en('audit.actor'), exact: true }).fill('anna');
  await page.keyboard.press('Enter');
  await page.waitForURL(/actor=per_/);
  await stage.settle(page);
  assert.equal(await table.count(), 1);

  await table.open(table.rows.first());
  const panel = page.locator('.flyout[role=dialog]');
  await panel.waitFor();
  for (const name of ['operation', 'user_id', 'user_name', 'user_group', 'ip', 'method', 'object', 'object_id', 'result', 'time']) {
    await panel.getByText(en(`audit.${name}`), { exact: true }).first().waitFor();
  }
  await stage.shoot('audit-record', page);
  await panel.getByRole('link', { name: en('ui.open_full') }).click();
  await page.waitForURL(/\/audit\/\d+/);
  return Number(new URL(page.url()).pathname.split('/').at(-1));
}

/** The proof of a record is checked step by step, by the browser itself. */
async function prove(stage, page, seq) {
  // A record is sealed within half a minute.
  await stage.until('the record to be sealed', async () => {
    const { checkpoint } = await stage.api(page, '/audit/checkpoint');
    return Number(checkpoint?.split('\n')[1] ?? 0) >= seq;
  });
  await stage.show(page, `/audit/${seq}`);
  await page.getByRole('button', { name: en('audit.prove') }).click();
  const verdict = page.locator('.verdict[role=status]');
  await verdict.waitFor();
  assert.match((await verdict.innerText()).trim(), pattern(en, 'audit.proof_holds', ['size']));
  // The record, the root, and the signature where this browser knows it.
  const marks = await page.getByText(en('audit.step_holds'), { exact: true }).count();
  const unknown = await page.getByText(en('audit.step_unknown'), { exact: true }).count();
  assert.equal(marks + unknown, 3);
  assert.equal(await page.getByText(en('audit.step_fails'), { exact: true }).count(), 0);
  await stage.shoot('audit-proof', page);
}

/** An auditor who has no part in what was done yesterday gives verdicts and signs. */
async function review(stage) {
  await stage.ask({ do: 'person', name: 'vera', roles: ['auditor'] });
  const page = await stage.enter('vera');
  await stage.show(page, '/reviews');
  const table = new Table(page, en('audit.reviews'));
  await table.rows.first().waitFor();
  await stage.shoot('reviews', page);
  await table.open(table.rows.first());
  await page.waitForURL('**/reviews/**');
  await stage.settle(page);
  const items = new Table(page, en('audit.items'));
  const count = await items.count();
  assert.ok(count > 1, `${count} items to judge`);
  const sign = page.getByRole('button', { name: en('audit.sign'), exact: true });
  assert.ok(await sign.isDisabled(), 'it cannot be signed before all is judged');
  await stage.shoot('review', page);

  // The first one is a finding, all others are fine.
  await items.open(items.rows.first());
  const panel = page.locator('.flyout[role=dialog]');
  await panel.getByRole('button', { name: en('audit.say_finding') }).click();
  await note(stage, page, { title: en('audit.note_title', { count: 1 }), words: 'Done at the machine, before anybody could approve it' });
  await page.keyboard.press('Escape');
  await stage.until('one item less', async () => (await items.count()) === count - 1);
  await items.selectAll();
  await page.getByRole('group', { name: en('ui.selected', { count: count - 1 }) }).getByRole('button', { name: en('audit.say_fine') }).click();
  await note(stage, page, { title: en('audit.note_title', { count: count - 1 }), words: 'Part of setting it up' });
  await stage.until('the review to be ready', () => sign.isEnabled());
  await sign.click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: en('audit.opinion') }).fill('A quiet day: one finding');
  await stage.shoot('review-sign', page);
  await dialog.getByRole('button', { name: en('audit.sign'), exact: true }).click();
  await dialog.waitFor({ state: 'hidden' });
  await page.getByText('A quiet day: one finding').waitFor();
  await page.getByText(en('audit.state_signed'), { exact: true }).first().waitFor();
  const [signed] = (await stage.api(page, '/review')).items;
  assert.deepEqual([signed.state, signed.findings, signed.undecided], ['signed', 1, 0]);
  await stage.shoot('review-signed', page);
}

async function note(stage, page, { title, words }) {
  const dialog = page.getByRole('dialog', { name: title });
  await dialog.getByRole('textbox', { name: en('audit.note'), exact: true }).fill(words);
  await stage.shoot('review-note', page);
  await dialog.getByRole('button', { name: en('audit.note_do') }).click();
  await dialog.waitFor({ state: 'hidden' });
}

/** Whoever has a part in it cannot judge it, and is told why. */
async function involved(stage, page) {
  stage.expect(/status of 4(03|09|22)/);
  const [review] = (await stage.api(page, '/review')).items;
  await stage.show(page, `/reviews/${review.id}`);
  const items = new Table(page, en('audit.items'));
  await items.open(items.rows.first());
  await page.locator('.flyout[role=dialog]').getByRole('button', { name: en('audit.say_fine') }).click();
  const dialog = page.getByRole('dialog', { name: en('audit.note_title', { count: 1 }) });
  await dialog.getByRole('textbox', { name: en('audit.note'), exact: true }).fill('It was me');
  await dialog.getByRole('button', { name: en('audit.note_do') }).click();
  await dialog.getByRole('alert').waitFor();
  await stage.shoot('review-refused', page);
}

export default async function (stage) {
  const page = await stage.enter();
  const seq = await filter(stage, page);
  await prove(stage, page, seq);
  await involved(stage, page);
  await review(stage);
}
