// Measures the console of a running program in Chromium, for `cargo xtask bench console`.
//
// usage: console.mjs [--program PATH] [--alerts N] [--events N] [--json]
//
// A server on loopback in a temporary folder takes a million events, of which a hundred thousand make an alert each; then
// its pages are opened, scrolled and asked, beside a plain page of the same server. Times are what Chromium says: the
// clock and the entries of `performance`, frames by `requestAnimationFrame`, bytes by its protocol for debuggers. What was
// measured goes to standard output, progress to standard error.

import { createRequire } from 'node:module';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { probe } from './console_probe.mjs';
import { pause, Server } from './console_server.mjs';

const { chromium } = createRequire(new URL('../console/package.json', import.meta.url))('playwright-core');

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Nobody sees these pages, and they must be as quick as if somebody did.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];
/** How often pages are opened. */
const TURNS = 9;
/** Rows of the tables that are scrolled: as many as the page of search shows at most. */
const ROWS = 100_000;
/** How long rows may take to come to a table that fetches them as one scrolls, and how long is scrolled, in milliseconds. */
const LOADING = 300_000;
const SCROLLING = 6_000;
const ROW = 'main [role="grid"] [data-line="0"]';
const BARS = 'main figure .plot path[d]';

/** What is asked of the events: each kind three times, always for something else where that can be. */
const QUESTIONS = {
  everything: ['', '', ''],
  'a frequent word': ['publickey', 'mozilla', 'level'],
  'a host': ['host:host-17', 'host:host-230', 'host:host-498'],
  'a user': ['user:user7', 'user:user311', 'user:user899'],
  'a rare host': ['host:al-17.example', 'host:al-302.example', 'host:al-899.example'],
};
/** Nothing has this word. */
const NOTHING = 'zebrafinch';

/** Place in the result, words, how it is compared, target. */
const TARGETS = [
  ['alerts.first.flyout.median', 'alerts page to a row clicked and opened, first visit, ms', '<', 1000],
  ['alerts.again.flyout.median', 'the same, files in the browser, ms', '<', 1000],
  ['search.rows_slowest', 'search, Enter to first rows, slowest kind of question, ms', '<', 1000],
  ['search.histogram_slowest', 'search, Enter to the histogram, slowest kind, ms', '<', 1000],
  ['scroll.search.median', 'rows of a search scrolled, frames a second, median', '>', 50],
  ['scroll.search.worst', 'the same, worst 5 % of frames', '>', 50],
  ['scroll.alerts.median', 'rows of alerts scrolled, frames a second, median', '>', 50],
  ['scroll.alerts.worst', 'the same, worst 5 % of frames', '>', 50],
  ['first_load.home.gzip.files_kb', 'bytes of the first load, gzip, kB', '<', 150],
];

/** Of the way to an alert that is open. */
const PARTS = {
  painted: 'painted',
  rows: 'rows drawn',
  click_to_flyout: 'click to what it opens',
  blocked: 'blocked by long tasks',
  script: 'CPU of scripts',
};

const say = (...words) => console.error(...words);
const round = (number, digits = 0) => Math.round(number * 10 ** digits) / 10 ** digits;

/** The value that this part of all are not above. */
function quantile(numbers, part) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

const summed = (numbers) => ({ median: round(quantile(numbers, 0.5)), worst: round(Math.max(...numbers)) });
const each = (names, results) => Object.fromEntries(names.map((name) => [name, summed(results.map((result) => result[name]))]));

/** Windows of somebody who is logged in; a window has nothing from an earlier one but the session. */
class Windows {
  static async open(server) {
    const windows = new Windows();
    windows.url = server.url;
    windows.browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS });
    const { context, page } = await windows.window();
    await page.goto(await server.link());
    await page.locator('form[action^="/enter/"] button').click();
    await page.waitForURL((url) => !url.pathname.startsWith('/enter'));
    await windows.#keep(context);
    await context.close();
    return windows;
  }

  /** A session that is used gets a new secret from time to time, which the next window needs. */
  async #keep(context) {
    const { cookies } = await context.storageState();
    this.session = { cookies, origins: [] };
  }

  async window() {
    const context = await this.browser.newContext({ baseURL: this.url, viewport: { width: 1920, height: 1080 }, storageState: this.session });
    context.setDefaultTimeout(120_000);
    await context.addInitScript(probe);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
    return { context, page, cdp };
  }

  /** Does something in a window of its own. */
  async with(run) {
    const made = await this.window();
    try {
      const done = await run(made);
      await this.#keep(made.context);
      return done;
    } finally {
      await made.context.close();
    }
  }
}

/** From the beginning of the navigation until rows are drawn, and until what a click on one opens is drawn. */
async function openAlerts({ page, cdp }) {
  await page.goto('/alerts', { waitUntil: 'commit' });
  const row = await page.evaluate((selector) => bench.drawn(selector), ROW);
  const cell = await page.evaluate((selector) => document.querySelector(`${selector} [data-column="2"]`).getBoundingClientRect().toJSON(), ROW);
  const flyout = page.evaluate(() => bench.drawn('.flyout[role="dialog"]'));
  await page.mouse.click(cell.x + 60, cell.y + cell.height / 2);
  const [{ at }, used] = [await flyout, await metrics(cdp)];
  // What the browser says of a click comes with the frame after it.
  await pause(300);
  const seen = await page.evaluate(() => ({
    click: bench.pressed.pointerdown,
    event: Math.max(0, ...bench.clicks.filter(({ name }) => /^(click|pointerup|mouseup)$/.test(name)).map(({ ms }) => ms)),
    painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    blocked: bench.longTasks.reduce((sum, { ms }) => sum + ms - 50, 0),
  }));
  return {
    painted: seen.painted,
    rows: row.at,
    flyout: at,
    click_to_flyout: at - seen.click,
    event: seen.event,
    blocked: seen.blocked,
    script: used.ScriptDuration,
    layout: used.LayoutDuration + used.RecalcStyleDuration,
  };
}

/** The processor's time of the page's main thread since it began to load, in milliseconds. */
async function metrics(cdp) {
  const { metrics } = await cdp.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value * 1000]));
}

/** A page that the server writes, without a line of script. */
async function openPlain({ page }) {
  await page.goto('/account');
  return page.evaluate(async () => {
    await bench.drawn('main h1');
    while (!performance.getEntriesByName('first-contentful-paint')[0]) await new Promise((done) => setTimeout(done, 20));
    const [{ loadEventEnd, responseEnd }] = performance.getEntriesByType('navigation');
    return { answered: responseEnd, painted: performance.getEntriesByName('first-contentful-paint')[0].startTime, loaded: loadEventEnd };
  });
}

async function opened(windows) {
  const [first, again, plainFirst, plainAgain] = [[], [], [], []];
  // So that the server is warm.
  await windows.with(openAlerts);
  for (let turn = 0; turn < TURNS; turn += 1) {
    await windows.with(async (window) => (first.push(await openAlerts(window)), again.push(await openAlerts(window))));
    await windows.with(async (window) => (plainFirst.push(await openPlain(window)), plainAgain.push(await openPlain(window))));
  }
  const names = Object.keys(first[0]);
  const plain = Object.keys(plainFirst[0]);
  return {
    alerts: { first: each(names, first), again: each(names, again) },
    plain: { first: each(plain, plainFirst), again: each(plain, plainAgain) },
  };
}

/** What comes over the wire until a page asks nothing any more: files of the console, and answers of the API. */
async function loaded(windows, path, encoding) {
  return windows.with(async ({ page, cdp }) => {
    const [asked, bytes] = [new Map(), { files: 0, api: 0 }];
    let last = Date.now();
    await cdp.send('Network.enable');
    await cdp.send('Network.setExtraHTTPHeaders', { headers: { 'accept-encoding': encoding } });
    cdp.on('Network.requestWillBeSent', ({ requestId, request: { url } }) => asked.set(requestId, new URL(url).pathname));
    cdp.on('Network.responseReceived', ({ response: { headers, url } }) => {
      const sent = headers['content-encoding'] ?? headers['Content-Encoding'];
      if (sent && sent !== encoding) throw new Error(`${url} came as ${sent} and not as ${encoding}`);
    });
    cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      last = Date.now();
      bytes[asked.get(requestId)?.startsWith('/api/') ? 'api' : 'files'] += encodedDataLength;
    });
    await page.goto(path);
    await page.locator('main h1').first().waitFor();
    while (Date.now() - last < 3000) await pause(100);
    const files = [...asked.values()].filter((asked) => !asked.startsWith('/api/')).length;
    return { files, files_kb: round(bytes.files / 1000, 1), api_kb: round(bytes.api / 1000, 1) };
  });
}

async function firstLoad(windows) {
  const found = {};
  for (const [name, path] of [['home', '/'], ['alerts', '/alerts'], ['search', '/search']]) {
    found[name] = {};
    for (const encoding of ['gzip', 'br']) found[name][encoding] = await loaded(windows, path, encoding);
  }
  return found;
}

/** One question: from Enter until its first rows, and until its histogram. Before it there is an answer without either. */
async function question(page, text) {
  const box = page.locator('#search');
  const enter = async (words) => {
    await box.fill(words);
    // What is offered while one writes is asked for, too.
    await pause(700);
    await box.press('Enter');
  };
  await enter(NOTHING);
  await page.waitForFunction((some) => !document.querySelector(some), `${ROW}, ${BARS}, [aria-busy="true"]`);
  await page.waitForURL((url) => url.searchParams.get('query') === NOTHING);
  await pause(300);
  const drawn = page.evaluate(([row, bars]) => Promise.all([bench.drawn(row), bench.drawn(bars)]), [ROW, BARS]);
  await enter(text);
  const [rows, histogram] = await drawn;
  const begun = await page.evaluate(() => bench.pressed.keydown);
  return { rows: rows.at - begun, histogram: histogram.at - begun };
}

async function search(windows) {
  const kinds = await windows.with(async ({ page }) => {
    await page.goto(`/search?query=${NOTHING}`);
    const found = {};
    for (const [kind, texts] of Object.entries(QUESTIONS)) {
      const taken = [];
      for (const text of texts) taken.push(await question(page, text));
      found[kind] = each(['rows', 'histogram'], taken);
      say(' ', kind, JSON.stringify(found[kind]));
    }
    return found;
  });
  const slowest = (name) => Math.max(...Object.values(kinds).map((kind) => kind[name].median));
  return { kinds, rows_slowest: slowest('rows'), histogram_slowest: slowest('histogram') };
}

/** The frames while something runs, and what each costs the page's main thread. */
async function frames({ page, cdp }, run) {
  await page.evaluate(() => bench.record());
  const before = await metrics(cdp);
  await run();
  const after = await metrics(cdp);
  const { frames, blank, longTasks } = await page.evaluate(() => bench.recordEnd());
  const taken = frames.slice(1).map((at, index) => at - frames[index]);
  return {
    frames: frames.length,
    median: round(1000 / quantile(taken, 0.5), 1),
    worst: round(1000 / quantile(taken, 0.95), 1),
    blank_percent: round((blank * 100) / frames.length, 1),
    long_tasks: longTasks,
    cpu_ms: round((after.TaskDuration - before.TaskDuration) / frames.length, 2),
    script_ms: round((after.ScriptDuration - before.ScriptDuration) / frames.length, 2),
    layout_ms: round((after.LayoutDuration + after.RecalcStyleDuration - before.LayoutDuration - before.RecalcStyleDuration) / frames.length, 2),
  };
}

/** A table is scrolled: as one reads, as one looks for something, and by its bar from the first row to the last. */
async function scrolled(window) {
  const { page, cdp } = window;
  const { x, y, width, height } = await page.locator('main [role="grid"]').boundingBox();
  const middle = { x: round(x + width / 2), y: round(y + Math.min(height, 600) / 2) };
  const wheel = (speed) => () =>
    cdp.send('Input.synthesizeScrollGesture', { ...middle, yDistance: (-speed * SCROLLING) / 1000, speed, gestureSourceType: 'mouse' });
  const found = {};
  const ways = { reading: wheel(1500), looking: wheel(10_000), bar: () => page.evaluate((ms) => bench.drag(ms), SCROLLING) };
  for (const [name, run] of Object.entries(ways)) {
    await page.evaluate(() => (document.querySelector('main [role="grid"]').scrollTop = 0));
    await pause(1000);
    found[name] = await frames(window, run);
  }
  const all = Object.values(found);
  return { ...found, median: Math.min(...all.map(({ median }) => median)), worst: Math.min(...all.map(({ worst }) => worst)) };
}

async function table(windows, path) {
  return windows.with(async (window) => {
    await window.page.goto(path);
    await window.page.evaluate((selector) => bench.drawn(selector), ROW);
    const { rows, ms } = await window.page.evaluate(([rows, patience]) => bench.load(rows, patience), [ROWS, LOADING]);
    return { rows, loading_s: round(ms / 1000, 1), ...(await scrolled(window)) };
  });
}

async function scroll(windows) {
  const found = {
    // What this machine draws of a page on which nothing happens.
    still: await windows.with(async (window) => (await window.page.goto('/account'), frames(window, () => pause(SCROLLING / 2)))),
  };
  const sql = encodeURIComponent('SELECT received, host, program, "user", src_ip, source, raw FROM logs LIMIT 100000');
  for (const [name, path] of [['search', '/search'], ['sql', `/search?mode=sql&sql=${sql}`], ['alerts', '/alerts']]) {
    found[name] = await table(windows, path);
    say(' ', name, JSON.stringify(found[name]));
  }
  return found;
}

async function measured(server, { alerts, events }) {
  say(`sending ${events} events, of which ${alerts} make alerts`);
  await server.fill(alerts, events, say);
  const windows = await Windows.open(server);
  try {
    say('pages opened');
    const pages = await opened(windows);
    say(' ', JSON.stringify(pages));
    say('first load');
    const bytes = await firstLoad(windows);
    say(' ', JSON.stringify(bytes));
    say('search');
    const asked = await search(windows);
    say('scrolling');
    const rolled = await scroll(windows);
    const machine = { cores: availableParallelism(), load: round(loadavg()[1], 1), chromium: windows.browser.version() };
    return { area: 'console', machine, made: { alerts, events }, ...pages, first_load: bytes, search: asked, scroll: rolled };
  } finally {
    await windows.browser.close();
  }
}

function print(result) {
  const at = (place) => place.split('.').reduce((found, name) => found?.[name], result) ?? Number.NaN;
  const row = (words, ...cells) => console.log(words.padEnd(62) + cells.map((cell) => String(cell).padStart(13)).join(''));
  row('', 'measured', 'target', '');
  for (const [place, words, sign, target] of TARGETS) {
    const met = sign === '<' ? at(place) < target : at(place) > target;
    row(words, at(place), `${sign} ${target}`, met ? 'met' : 'missed');
  }
  row(`pages opened, ${TURNS} times, ms`, 'median', 'worst');
  const times = (words, { median, worst }) => row(`  ${words}`, median, worst);
  for (const [visit, words] of [['first', 'first visit'], ['again', 'again']]) {
    times(`a plain page, ${words}: painted`, result.plain[visit].painted);
    for (const [name, what] of Object.entries(PARTS)) times(`alerts, ${words}: ${what}`, result.alerts[visit][name]);
  }
  row('search, ms', 'rows', 'worst', 'histogram', 'worst');
  for (const [kind, { rows, histogram }] of Object.entries(result.search.kinds)) {
    row(`  ${kind}`, rows.median, rows.worst, histogram.median, histogram.worst);
  }
  row('scrolling, frames a second', 'median', 'worst 5 %', 'blank %', 'CPU ms each');
  const drawn = (words, { median, worst, blank_percent, cpu_ms }) => row(`  ${words}`, median, worst, blank_percent, cpu_ms);
  drawn('a page on which nothing happens', { ...result.scroll.still, blank_percent: '' });
  for (const [name, words] of [['search', 'search'], ['sql', 'answer to SQL'], ['alerts', 'alerts']]) {
    for (const way of ['reading', 'looking', 'bar']) drawn(`${words}, ${result.scroll[name].rows} rows, ${way}`, result.scroll[name][way]);
  }
  row('first load, kB', 'gzip', 'brotli', 'answers', 'files');
  for (const [name, { gzip, br }] of Object.entries(result.first_load)) row(`  ${name}`, gzip.files_kb, br.files_kb, gzip.api_kb, gzip.files);
  const { cores, load, chromium } = result.machine;
  console.log(`Chromium ${chromium} on ${cores} cores; all programs of the machine wanted ${load} of them while it was measured`);
}

const { values: given } = parseArgs({
  options: {
    program: { type: 'string', default: fileURLToPath(new URL('../target/release/garrison', import.meta.url)) },
    alerts: { type: 'string', default: '100000' },
    events: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
  },
});
const server = await Server.start(given.program);
// A server that is left behind holds standard output open, and whoever reads it would wait for ever.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void server.stop().then(() => process.exit(1)));
try {
  const result = await measured(server, { alerts: Number(given.alerts), events: Number(given.events) });
  if (given.json) console.log(JSON.stringify(result));
  else print(result);
} finally {
  await server.stop();
}
