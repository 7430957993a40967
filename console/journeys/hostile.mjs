// What strangers write into logs and names is shown as text, and does nothing, wherever it comes up.

import assert from 'node:assert/strict';

import { Table } from './table.mjs';
import { en } from './words.mjs';

const IMAGE = '<img src=x onerror="window.ran=1">';
/** A name without spaces, as hosts and users have it. */
const NAME = '<img/src=x/onerror=window.ran=1>';
/** Each with what must be seen of it. */
const LINES = [
  [`markup ${IMAGE}<script>window.ran=2</script><style>*{display:none}</style><a href="javascript:window.ran=3">here</a>`, 'onerror="window.ran=1"'],
  ['colours \u001b[31mred\u001b[0m \u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007 \u001b[2J\u0000\b', '\\u{1B}[31mred'],
  ['turned user=\u202Egnp.exe\u202C \u2066inside\u2069 \u200Fafter', '\\u{202E}gnp.exe'],
  ['thin ad\u200Bmin pay\u00ADpal \uFEFFbegin \u3164', 'ad\\u{200B}min'],
  ['emoji \u{1F469}\u200D\u{1F469}\u200D\u{1F467} \u{1F1E9}\u{1F1EA} and \u{1F4A9}', '\u{1F4A9}'],
  ['braces {count, plural, one {#} other {#}} ${window.ran=4} {{window.ran=5}} {@html x} %s %n', '{count, plural, one {#} other {#}}'],
  ["formula =cmd|'/c calc'!A1", "=cmd|'/c calc'!A1"],
  ['Zalgo z\u0351\u0351\u0351\u0351\u0351\u0351\u0351\u0351\u0351\u0351a\u0351\u0351\u0351\u0351\u0351\u0351\u0351\u0351lgo', 'Zalgo'],
  [`wide ${'W'.repeat(3000)}`, 'WWWW'],
];

/** Addresses that take what somebody else wrote. */
const SHARED = [
  '/alerts?query=', '/alerts?open=', '/alerts?node=', '/search?query=', '/search?mode=sql&sql=', '/detections?text=', '/detections/', '/sources?text=',
  '/sources/', '/people?text=', '/people/', '/tree?text=', '/audit?operation=',
];

/** Nothing of it became a part of the page, and nothing is wider than the window. */
async function harmless(stage, page, name) {
  await stage.settle(page);
  const found = await page.evaluate(() => ({
    ran: window.ran,
    parts: [...document.querySelectorAll('img, iframe, object, embed, script:not([src]), a[href^="javascript:" i], [onerror]')]
      .map((part) => part.outerHTML.slice(0, 120)),
    elsewhere: [...document.querySelectorAll('[href], [src]')]
      .map((part) => part.href ?? part.src)
      .filter((to) => typeof to === 'string' && /^http/.test(to) && new URL(to).origin !== location.origin),
    // What is typed stands as it is where it is typed, in its colours below too, with a word beside it that says so.
    raw: [...document.querySelectorAll('main :not(script, textarea, [aria-hidden="true"], [aria-hidden="true"] *)')]
      .flatMap(({ childNodes }) => [...childNodes].filter((node) => node.nodeType === Node.TEXT_NODE))
      .map(({ data }) => data)
      .find((text) => /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u200B\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/.test(text)),
    title: /[\u0000-\u001F\u202A-\u202E\u2066-\u2069]/.test(document.title),
  }));
  assert.deepEqual(found, { ran: undefined, parts: [], elsewhere: [], raw: undefined, title: false }, name);
  await stage.fits(page, name);
}

/** Sends what is hostile, and gives what came of it. */
async function fill(stage, page) {
  for (const [line] of LINES) await stage.ask({ do: 'send', source: 'shop', text: JSON.stringify({ message: line }) });
  for (const [line] of LINES) await stage.ask({ do: 'send', source: 'shop', text: line.replaceAll('\n', ' ') });
  await stage.ask({ do: 'send', source: 'shop', bytes: [...Buffer.from('bytes that are no text: '), 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80] });
  // As long as an event may be: 1 MiB.
  const begin = `long ${IMAGE} `;
  await stage.ask({ do: 'send', source: 'shop', text: begin + '<b>x</b> '.repeat(2 ** 20 / 9).slice(0, 2 ** 20 - begin.length) });
  const login = (user) => `Nov 22 10:00:00 ${NAME} sshd[77]: Accepted password for ${user} from 203.0.113.24 port 50111 ssh2`;
  await stage.ask({ do: 'send', source: 'shop', text: login(NAME) });
  await stage.until('an alert', async () => (await stage.api(page, '/alert')).items.length > 0);
  await stage.until('all events', async () => (await stage.rows(page, { from: '1h', limit: 1000 })).length >= 2 * LINES.length + 3);
}

/** In the logs: as a table, as text, and one by one. */
async function logs(stage, page) {
  await stage.show(page, '/search?from=1h');
  await harmless(stage, page, 'search');
  const table = new Table(page, en('search.rows'));
  assert.ok((await table.count()) >= 2 * LINES.length + 3);
  await stage.shoot('hostile-search', page);
  await stage.show(page, '/search?from=1h&view=raw');
  await harmless(stage, page, 'search, raw');
  await stage.shoot('hostile-raw', page);
  for (const [line, seen] of LINES) {
    const word = line.split(' ')[0];
    await stage.show(page, `/search?from=1h&query=${word}`);
    await table.open(table.rows.first());
    const raw = page.locator('.flyout').getByLabel(en('search.raw'), { exact: true });
    await raw.waitFor();
    await harmless(stage, page, word);
    assert.ok((await raw.innerText()).includes(seen), `${word}: ${await raw.innerText()}`);
    await stage.shoot(`hostile-${word}`, page);
  }
  await stage.show(page, '/search?from=1h&query=no%20text');
  await table.open(table.rows.first());
  await harmless(stage, page, 'bytes');
}

/** A megabyte on one line: its beginning first, all of it when asked for, and the page goes on. */
async function long(stage, page) {
  await stage.show(page, '/search?from=1h&query=long');
  const found = new Table(page, en('search.rows'));
  await found.open(found.rows.first());
  const panel = page.locator('.flyout');
  const raw = panel.getByLabel(en('search.raw'), { exact: true });
  await raw.waitFor();
  assert.ok((await raw.innerText()).length < 5000);
  await panel.getByRole('button', { name: en('chart.show_all', { size: '1 MiB' }) }).click();
  await stage.until('all of it', async () => (await raw.evaluate((region) => region.textContent.length)) >= 2 ** 20);
  await harmless(stage, page, 'a megabyte');
  await stage.shoot('hostile-long', page);
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'detached' });
}

/** As the name of a host and a user: in the alert, on their pages, in the palette. */
async function names(stage, page) {
  await stage.show(page, '/alerts');
  await harmless(stage, page, 'alerts');
  const table = new Table(page, en('alerts.alerts'));
  await table.open(table.rows.first());
  await page.locator('.flyout').waitFor();
  await harmless(stage, page, 'alert');
  await stage.shoot('hostile-alert', page);
  const [alert] = (await stage.api(page, '/alert')).items;
  await stage.show(page, `/alerts/${alert.id}`);
  await harmless(stage, page, 'alert page');
  for (const kind of ['host', 'user', 'address']) {
    await stage.show(page, `/${kind}/${encodeURIComponent(NAME)}`);
    await page.getByRole('heading', { level: 1, name: NAME }).waitFor();
    await harmless(stage, page, kind);
    await stage.shoot(`hostile-${kind}`, page);
  }
  await stage.show(page, `/host/${encodeURIComponent('a\u202Eb\u200Bc')}`);
  await harmless(stage, page, 'a host that turns');
  // What somebody else puts into a shared address.
  stage.expect(/status of 4(00|04|22)/);
  for (const path of SHARED) {
    await stage.show(page, `${path}${encodeURIComponent(`${IMAGE}\u202E javascript:window.ran=6`)}`);
    await harmless(stage, page, path);
  }
}

/** In what people write: names, purposes, reasons, and in the record of it. */
async function words(stage, page) {
  await stage.ask({ do: 'person', name: 'eve', full_name: `Eve ${IMAGE} {count}` });
  const { id } = await stage.ask({ do: 'node', name: '<b>node' });
  await stage.api(page, '/source/create', { node: id, name: 'strange', purpose: `${IMAGE} <script>window.ran=7</script>` });
  const pages = ['/', '/people', '/people?text=eve', '/tree', `/tree?at=${id}`, '/sources', '/sources/strange', '/sources/shop', '/audit', `/alerts?node=${id}`];
  for (const path of pages) {
    await stage.show(page, path);
    await harmless(stage, page, path);
  }
  const [record] = (await stage.api(page, '/audit?operation=person:change')).items;
  await stage.show(page, `/audit/${record.seq}`);
  await harmless(stage, page, 'record');
  assert.ok((await page.locator('main').innerText()).includes('window.ran=1'));
  await stage.shoot('hostile-record', page);
}

export default async function (stage) {
  const page = await stage.enter();
  await fill(stage, page);
  await logs(stage, page);
  await long(stage, page);
  await names(stage, page);
  await words(stage, page);

  // The same where there is little room.
  await page.setViewportSize({ width: 320, height: 640 });
  const host = `/host/${encodeURIComponent(NAME)}`;
  for (const path of ['/search?from=1h', '/search?from=1h&view=raw', '/alerts', host, '/sources/shop', '/people', '/tree', '/audit', '/']) {
    await stage.show(page, path);
    await harmless(stage, page, `${path} at 320 px`);
  }
}
