// Chromium before a real server: who looks is logged in, and everything that a browser complains of is noted.

import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { en } from './words.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A test machine has two cores and no screen: pages that nobody sees must not be slowed down.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
];
/** How long something may take to come, in milliseconds: the limit of patience, not a measurement. */
const PATIENCE = 60_000;

export class Stage {
  #browser;
  #complaints = [];
  #expected = [];
  #keeper;
  #patience;
  /** What pages are asking of the server at the moment. */
  #asked = new Map();

  /** `given`: `url`, `chromium`, `shots` (a folder), and whatever else the journey needs. */
  static async open(given, keeper) {
    const stage = new Stage();
    stage.given = given;
    stage.#keeper = keeper;
    stage.#patience = given.patience ?? PATIENCE;
    mkdirSync(given.shots, { recursive: true });
    stage.#browser = await chromium.launch({ executablePath: given.chromium, args: ARGUMENTS });
    return stage;
  }

  /** Asks the keeper of the server for something: `{ do: "kill" }`, `{ do: "send", source, text }`. */
  ask(wish) {
    return this.#keeper(wish);
  }

  /** A window of somebody's own: size, colours, language. */
  async window({ width = 1280, height = 720, dark = false, language = 'en', scripts = true } = {}) {
    const context = await this.#browser.newContext({
      baseURL: this.given.url,
      ignoreHTTPSErrors: true,
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      locale: language,
      timezoneId: 'Europe/Berlin',
      javaScriptEnabled: scripts,
      acceptDownloads: true,
    });
    context.setDefaultTimeout(this.#patience);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: this.given.url });
    if (scripts) {
      await context.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) => {
          console.error(`content policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
        });
      });
    }
    const page = await context.newPage();
    this.#watch(page);
    return page;
  }

  #watch(page) {
    const origin = new URL(this.given.url).origin;
    page.on('pageerror', (error) => this.#complaints.push(`error: ${error.stack ?? error}`));
    page.on('console', (message) => {
      if (message.type() !== 'error' || this.#expected.some((pattern) => pattern.test(message.text()))) return;
      this.#complaints.push(`console: ${message.text()} (${message.location().url})`);
    });
    const asked = new Set();
    this.#asked.set(page, asked);
    page.on('request', (request) => {
      const { protocol, origin: to } = new URL(request.url());
      if (/^(https?|wss?):$/.test(protocol) && to !== origin) this.#complaints.push(`request elsewhere: ${request.url()}`);
      if (request.isNavigationRequest() && request.frame() === page.mainFrame()) asked.clear();
      // What a stream sends never ends.
      if (['fetch', 'xhr', 'script', 'stylesheet'].includes(request.resourceType())) asked.add(request);
    });
    for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => asked.delete(request));
  }

  /** Complaints that a journey brings about on purpose. */
  expect(...patterns) {
    this.#expected.push(...patterns);
  }

  /** A window of somebody who is logged in, by a one-time link of theirs. */
  async enter(who = 'anna', options = {}) {
    const page = await this.window(options);
    const { path } = await this.ask({ do: 'link', who });
    await page.goto(path);
    await page.locator('form[action^="/enter/"] button').click();
    await page.waitForURL((url) => !url.pathname.startsWith('/enter'));
    return page;
  }

  /** Goes to a page of the console and waits until all of it is there. */
  async show(page, path) {
    await page.goto(path);
    await page.locator('main h1').first().waitFor();
    await this.settle(page);
  }

  /** Waits until a page asks nothing any more and has drawn what it was told. */
  async settle(page) {
    const asked = this.#asked.get(page);
    await this.until('the page to have what it asks for', async () => {
      if (asked.size > 0) return false;
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(drawn)))));
      return asked.size === 0 && (await page.locator('.skeleton, [aria-busy="true"]').count()) === 0;
    });
  }

  /** Asks until there is an answer that is something, and gives it. */
  async until(what, ask) {
    const end = Date.now() + this.#patience;
    for (;;) {
      const answer = await ask();
      if (answer) return answer;
      if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
      await new Promise((again) => setTimeout(again, 50));
    }
  }

  /** The API, as the page itself asks it: what is answered, or lines where it answers in lines. */
  api(page, path, body) {
    return page.evaluate(
      async ([path, body]) => {
        const sent = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
        const answer = await fetch(`/api/v1${path}`, sent);
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
        return answer.headers.get('content-type')?.includes('ndjson') ? text.trim().split('\n').map((line) => JSON.parse(line)) : JSON.parse(text);
      },
      [path, body],
    );
  }

  /** The rows of a search, as the API gives them. */
  async rows(page, question) {
    const lines = await this.api(page, '/log/search', question);
    const end = lines.pop();
    if (!end._end?.complete) throw new Error(`the search ended with ${JSON.stringify(end)}`);
    return lines;
  }

  /** Waits for what a toast says. */
  async told(page, words) {
    await page.getByRole('status', { name: en('ui.toasts') }).getByText(words).first().waitFor();
  }

  /** A picture of the whole window. */
  async shoot(name, page = this.#browser.contexts().at(-1)?.pages().at(-1)) {
    await page?.screenshot({ path: join(this.given.shots, `${name}.png`) });
  }

  /** What axe-core finds against WCAG 2.2 AA must be nothing. A page that was looked at in one theme differs in its colours only. */
  async audit(page, name, { coloursOnly = false } = {}) {
    await page.evaluate(AXE);
    const violations = await page.evaluate(async (coloursOnly) => {
      const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
      const runOnly = coloursOnly ? { type: 'rule', values: ['color-contrast', 'link-in-text-block'] } : tags;
      const found = await globalThis.axe.run(document, { runOnly, resultTypes: ['violations'] });
      return found.violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 5).map(({ html, failureSummary }) => `${html}\n${failureSummary}`) }));
    }, coloursOnly);
    if (violations.length > 0) throw new Error(`axe finds on ${name}: ${JSON.stringify(violations, null, 2)}`);
  }

  /** Nothing may be wider than the window, but for what scrolls or is cut in a part of its own. */
  async fits(page, name) {
    const wide = await page.evaluate(() => {
      const main = document.querySelector('main');
      const isCut = (element) => {
        for (let part = element.parentElement; part && part !== main && part !== document.body; part = part.parentElement) {
          if (getComputedStyle(part).overflowX !== 'visible') return true;
        }
        return false;
      };
      const beyond = [...document.body.querySelectorAll('*')].filter((element) => {
        const { width, height, right } = element.getBoundingClientRect();
        return width > 0 && height > 0 && right > window.innerWidth + 1 && element.checkVisibility({ visibilityProperty: true }) && !isCut(element);
      });
      const page = document.documentElement.scrollWidth;
      return [...(page > window.innerWidth ? [`the page: ${page} px`] : []), ...beyond.slice(0, 3).map((element) => element.outerHTML.slice(0, 120))];
    });
    if (wide.length > 0) throw new Error(`${name} is wider than its window: ${wide.join('\n')}`);
  }

  /** Everything that the browser complained of. */
  complaints() {
    return this.#complaints.join('\n');
  }

  verify() {
    if (this.#complaints.length > 0) throw new Error('the browser complained');
  }

  close() {
    return this.#browser.close();
  }
}
