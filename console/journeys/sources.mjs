// Somebody adds a source, copies how to send to it, sees the first event come, and imports a file.

import assert from 'node:assert/strict';

import { Table } from './table.mjs';
import { en } from './words.mjs';

/** The dialog: what the server refuses stands beside its field, and then the source is made. */
async function create(stage, page) {
  stage.expect(/status of 4(00|04|09|22)/);
  await stage.show(page, '/sources');
  await page.getByRole('button', { name: en('sources.create') }).click();
  const dialog = page.getByRole('dialog', { name: en('sources.create') });
  const name = dialog.getByRole('textbox', { name: en('sources.name') });
  const make = dialog.getByRole('button', { name: en('sources.create') });
  await dialog.getByRole('textbox', { name: en('sources.purpose') }).fill('the tills of the shop');
  for (const refused of ['Tills of the shop!', 'shop']) {
    await name.fill(refused);
    await make.click();
    await dialog.locator('[aria-invalid=true]').waitFor();
    assert.equal(await name.getAttribute('aria-invalid'), 'true');
    const told = await name.evaluate((input) => input.ariaDescribedByElements.map(({ innerText }) => innerText).join(' '));
    assert.ok(told.length > en('sources.name_hint').length, `what is wrong with ${refused}: ${told}`);
  }
  await stage.shoot('source-refused', page);

  const node = dialog.getByRole('textbox', { name: en('sources.node') });
  await node.fill('acme/nowhere');
  await name.fill('tills');
  await make.click();
  await stage.until('the node to be refused', async () => (await node.getAttribute('aria-invalid')) === 'true');
  await node.fill('acme/shop');
  await make.click();
  await page.waitForURL('**/sources/tills*');
  await page.getByText(en('sources.first_waits')).waitFor();
  await stage.settle(page);
  await stage.shoot('source-waits', page);
}

/** Each way to send stands ready to be copied, with this server and this source in it. */
async function snippets(stage, page) {
  const tabs = page.getByRole('tablist', { name: en('sources.send') });
  for (const kind of ['curl', 'otlp', 'rsyslog', 'logger']) {
    await tabs.getByRole('tab', { name: en(`sources.kind_${kind}`), exact: true }).click();
    const shown = page.getByRole('region', { name: en(`sources.kind_${kind}`), exact: true });
    const text = await shown.innerText();
    await page.getByRole('tabpanel').getByRole('button', { name: en('sources.copy_snippet'), exact: true }).first().click();
    const copied = await stage.until('the clipboard', () => page.evaluate(() => navigator.clipboard.readText()));
    if (kind === 'curl') assert.ok(copied.includes('/api/v1/intake/tills'), copied);
    if (kind === 'otlp') assert.ok(copied.includes('source=tills'), copied);
    assert.ok(text.length > 20);
  }
  await tabs.getByRole('tab', { name: en('sources.kind_curl'), exact: true }).click();
}

/** The first event is there as soon as it is sent. */
async function first(stage, page) {
  await stage.ask({ do: 'send', source: 'tills', text: '{"till": 4, "what": "drawer opened without a sale"}' });
  await page.getByText(en('sources.first_came')).waitFor();
  await page.getByText('drawer opened without a sale').first().waitFor();
  await stage.settle(page);
  await stage.shoot('source-first', page);
}

/** A file that is chosen is sent. */
async function file(stage, page) {
  const lines = Array.from({ length: 1200 }, (_, index) => `{"till": ${index % 9}, "what": "sale ${index}"}`);
  await page.getByRole('group', { name: en('sources.import') }).locator('input[type=file]').setInputFiles({
    name: 'tills.jsonl', mimeType: 'application/x-ndjson', buffer: Buffer.from(lines.join('\n')),
  });
  await page.getByText(en('sources.import_done', { count: 1200, shown: '1,200' })).waitFor();
  await stage.shoot('source-imported', page);
  await stage.until('the events in the logs', async () => (await stage.rows(page, { query: 'source:tills', from: '1h', limit: 5000 })).length === 1201);
  await page.getByRole('link', { name: en('sources.search'), exact: true }).click();
  await page.waitForURL('**/search?**');
  await stage.settle(page);
  assert.ok((await new Table(page, en('search.rows')).rows.count()) > 5);
}

/** What is changed and switched off shows at once. */
async function change(stage, page) {
  await stage.show(page, '/sources/tills');
  await page.getByRole('button', { name: en('sources.change'), exact: true }).click();
  const dialog = page.getByRole('dialog', { name: en('sources.change_name', { name: 'tills' }) });
  await dialog.getByRole('textbox', { name: en('sources.purpose') }).fill('tills, also those of the café');
  await dialog.getByRole('spinbutton', { name: en('sources.silence') }).fill('30');
  await dialog.getByRole('button', { name: en('sources.change'), exact: true }).click();
  await stage.told(page, en('sources.changed', { name: 'tills' }));
  await page.getByText('tills, also those of the café').waitFor();

  await page.getByRole('button', { name: en('sources.disable'), exact: true }).click();
  const sure = page.getByRole('dialog', { name: en('sources.disable_name', { name: 'tills' }) });
  await sure.getByRole('button', { name: en('sources.disable'), exact: true }).click();
  await stage.told(page, en('sources.disabled', { name: 'tills' }));
  await stage.show(page, '/sources');
  await page.getByRole('link', { name: /tills/ }).getByText(en('sources.standing_disabled')).waitFor();
  await stage.shoot('sources', page);
  await page.getByRole('radiogroup', { name: en('sources.view') }).locator('label', { hasText: en('sources.view_table') }).click();
  await page.waitForURL('**view=table**');
  await stage.settle(page);
  await stage.shoot('sources-table', page);
}

/** Who is shown around sees their own log at once, and the card goes when they have seen enough. */
async function demo(stage, page) {
  await stage.show(page, '/?demo=1');
  const card = page.getByRole('region', { name: en('home.demo'), exact: true });
  await card.getByRole('button', { name: en('home.demo_own') }).click();
  await card.getByText(en('sources.first_waits')).waitFor();
  await card.locator('input[type=file]').setInputFiles({ name: 'own.log', mimeType: 'text/plain', buffer: Buffer.from('a line of my own\n') });
  await card.getByText(en('sources.first_came')).waitFor();
  await card.getByText('a line of my own').first().waitFor();
  await stage.shoot('home-own', page);
  await card.getByRole('button', { name: en('home.hide') }).click();
  await card.waitFor({ state: 'detached' });
  await stage.show(page, '/?demo=1');
  assert.equal(await card.count(), 0);
}

export default async function (stage) {
  const page = await stage.enter();
  await create(stage, page);
  await snippets(stage, page);
  await first(stage, page);
  await file(stage, page);
  await change(stage, page);
  await demo(stage, page);
}
