// An analyst searches: by the keyboard, by a brush, by values, in SQL; shares the view, reads an event, follows what comes,
// and takes exactly that away in files.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { readCsv } from './csv.mjs';
import { Table } from './table.mjs';
import { en, pattern } from './words.mjs';

const table = (page) => new Table(page, en('search.rows'));
const param = (page, name) => new URL(page.url()).searchParams.get(name);
const brush = (page) => page.getByRole('slider', { name: en('chart.brush', { label: en('search.over_time') }) });

/** Types a filter, takes what is offered, and asks. */
async function type(stage, page) {
  await stage.show(page, '/search?from=1h');
  const field = page.getByRole('textbox', { name: en('search.query'), exact: true });
  await field.focus();
  await page.keyboard.type('progr');
  const offered = page.getByRole('listbox', { name: en('chart.suggestions') }).getByRole('option');
  await offered.first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  assert.equal(await field.inputValue(), 'program', 'the field that was offered');
  await page.keyboard.type(':ssh');
  await offered.filter({ hasText: 'sshd' }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal((await field.inputValue()).trim(), 'program:sshd');
  await stage.shoot('search-typed', page);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.searchParams.get('query')?.trim() === 'program:sshd');
  await stage.settle(page);
  assert.equal(await table(page).count(), (await stage.rows(page, { query: 'program:sshd', from: '1h', limit: 1000 })).length);
  await stage.shoot('search', page);
}

/** The mistake in a filter stands where it is. */
async function mistake(stage, page) {
  stage.expect(/status of 4(00|22)/);
  await stage.show(page, '/search?from=1h&query=program%3A(');
  await page.getByRole('alert').first().waitFor();
  assert.equal(await page.getByRole('textbox', { name: en('search.query'), exact: true }).getAttribute('aria-invalid'), 'true');
  await stage.shoot('search-mistake', page);
}

/** A brush over the bars sets the time: by the mouse, then by the keyboard. */
async function narrow(stage, page) {
  await stage.show(page, '/search?from=1h');
  const box = await brush(page).boundingBox();
  const at = (share) => [box.x + box.width * share, box.y + box.height / 2];
  await page.mouse.move(...at(0.5));
  await page.mouse.down();
  await page.mouse.move(...at(0.7), { steps: 4 });
  await page.mouse.move(...at(0.99), { steps: 4 });
  await page.mouse.up();
  await page.waitForURL((url) => url.searchParams.has('to'));
  const half = Date.parse(param(page, 'to')) - Date.parse(param(page, 'from'));
  assert.ok(half > 20 * 60_000 && half < 40 * 60_000, `half an hour, not ${half / 60_000} minutes`);
  await stage.settle(page);
  assert.ok((await table(page).rows.count()) > 1, 'rows in the chosen time');

  await brush(page).focus();
  for (const key of ['End', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Shift+PageDown', 'Shift+PageDown']) await page.keyboard.press(key);
  await stage.shoot('search-brush', page);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => Date.parse(url.searchParams.get('to')) - Date.parse(url.searchParams.get('from')) < half);
  await stage.settle(page);
  await page.goBack();
  assert.equal(Date.parse(param(page, 'to')) - Date.parse(param(page, 'from')), half, 'one step back');
  await stage.settle(page);
}

/** Another window with the shared address shows the same rows, columns and time. */
async function share(stage, page) {
  await stage.show(page, '/search?from=1h&query=host%3Aweb-1');
  await page.getByRole('button', { name: en('ui.columns'), exact: true }).click();
  await page.getByRole('dialog', { name: en('ui.columns') }).getByRole('checkbox', { name: 'program', exact: true }).check();
  await page.keyboard.press('Escape');
  await stage.until('the column', async () => (await table(page).heads()).includes('program'));
  await page.getByRole('button', { name: en('search.share'), exact: true }).click();
  const shared = await page.evaluate(() => navigator.clipboard.readText());
  // What comes later is not in the shared view.
  await stage.ask({ do: 'send', source: 'shop', text: 'Nov 22 10:00:00 web-1 later: not in the shared view' });
  const other = await stage.enter();
  await stage.show(other, shared);
  assert.deepEqual(await table(other).heads(), await table(page).heads());
  assert.deepEqual(await table(other).texts(), await table(page).texts());
  await stage.show(page, shared);
  const range = (page) => page.locator('button[popovertarget]').innerText();
  assert.equal(await range(other), await range(page));
  assert.equal(await table(other).count(), await table(page).count());
  await other.context().close();
}

/** The most frequent values of a field narrow the filter. */
async function values(stage, page) {
  await stage.show(page, '/search?from=1h');
  const fields = page.getByRole('region', { name: en('search.fields') });
  await fields.getByRole('searchbox').fill('host');
  await fields.getByRole('button', { name: 'host', exact: true }).click();
  const only = fields.getByRole('button', { name: en('chart.filter_in', { field: 'host', value: 'web-1' }), exact: true });
  await only.waitFor();
  const top = await stage.api(page, '/log/top', { from: '1h', field: 'host' });
  assert.equal(await fields.getByRole('button', { name: pattern(en, 'chart.filter_in', ['field', 'value']) }).count(), top.items.length);
  await stage.shoot('search-values', page);
  await only.click();
  await page.waitForURL((url) => /host:"?web-1"?/.test(url.searchParams.get('query') ?? ''));
  await stage.settle(page);
  await table(page).choose(table(page).rows.first(), 'host', en('ui.filter_out'));
  await page.waitForURL((url) => url.searchParams.get('query') === 'host!=web-1');
}

/** One table, asked in SQL. */
async function sql(stage, page) {
  await stage.show(page, '/search?from=1h');
  await page.getByRole('radiogroup', { name: en('search.mode') }).getByText(en('search.mode_sql'), { exact: true }).click();
  const asked = 'SELECT host, count(*) AS n FROM logs WHERE host IS NOT NULL GROUP BY host ORDER BY n DESC, host';
  await page.getByRole('textbox', { name: en('search.sql') }).fill(asked);
  await page.keyboard.press('ControlOrMeta+Enter');
  await page.waitForURL((url) => url.searchParams.get('sql') === asked);
  await stage.settle(page);
  const rows = await stage.rows(page, { sql: asked, from: '1h' });
  assert.deepEqual(await table(page).heads(), ['host', 'n']);
  assert.deepEqual((await table(page).texts()).map(([host, n]) => [host, n.replaceAll(',', '')]), rows.map(({ host, n }) => [host, String(n)]));
  await stage.shoot('search-sql', page);
}

/** An event in full, with ways to go on. */
async function event(stage, page) {
  await stage.show(page, '/search?from=1h&query=cache.php');
  await table(page).open(table(page).rows.first());
  const panel = page.locator('.flyout[role=dialog]');
  await panel.waitFor();
  await stage.settle(page);
  const raw = await panel.getByLabel(en('search.raw'), { exact: true }).innerText();
  assert.match(raw, /cache\.php/);
  assert.ok(param(page, 'open'));
  assert.ok((await panel.getByRole('link', { name: '203.0.113.24' }).count()) >= 1);
  await stage.shoot('search-event', page);
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
  assert.equal(param(page, 'open'), null);
}

/** Lines show as they come, each once. */
async function follow(stage, page) {
  await stage.show(page, '/search?from=1h&query=host%3Aweb-9');
  await page.getByRole('button', { name: en('search.live'), exact: true }).click();
  const bar = page.getByRole('region', { name: en('search.live_bar') });
  await bar.getByText(en('search.live_open'), { exact: true }).waitFor();
  for (const number of [1, 2, 3]) {
    await stage.ask({ do: 'send', source: 'shop', text: `Nov 22 10:00:0${number} web-9 app: it is line ${number} of three` });
    await table(page).with(`line ${number} of three`).waitFor();
  }
  await bar.getByRole('button', { name: en('search.pause') }).click();
  await stage.ask({ do: 'send', source: 'shop', text: 'Nov 22 10:00:04 web-9 app: it is the line that waits' });
  await bar.getByRole('button', { name: en('search.resume', { count: 1, shown: 1 }) }).click();
  await table(page).with('the line that waits').waitFor();
  assert.equal(await table(page).count(), 4);
  await stage.shoot('search-live', page);
}

/** What is exported is what the API answers to the same question. */
async function files(stage, page) {
  await stage.show(page, '/search?from=1h&query=host%3Aweb-1');
  await page.getByRole('button', { name: en('search.share'), exact: true }).click();
  await stage.show(page, await page.evaluate(() => navigator.clipboard.readText()));
  const rows = await stage.rows(page, { query: 'host:web-1', from: param(page, 'from'), to: param(page, 'to'), limit: 1_000_000 });
  const save = async (kind) => {
    await page.getByRole('button', { name: en('ui.export'), exact: true }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: en(kind) }).click();
    const text = readFileSync(await (await download).path(), 'utf8');
    await stage.told(page, en('ui.exported', { count: rows.length }));
    return text;
  };
  const json = await save('ui.export_json');
  assert.deepEqual(json.trim().split('\n').map((line) => JSON.parse(line)), rows);
  const csv = readCsv(await save('ui.export_csv'));
  const text = (value) => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value));
  assert.ok(rows.length > 10);
  assert.deepEqual(csv, rows.map((row) => Object.fromEntries(Object.keys(csv[0]).map((name) => [name, text(row[name])]))));
}

export default async function (stage) {
  const page = await stage.enter();
  await type(stage, page);
  await mistake(stage, page);
  await narrow(stage, page);
  await share(stage, page);
  await values(stage, page);
  await sql(stage, page);
  await event(stage, page);
  await follow(stage, page);
  await files(stage, page);
}
