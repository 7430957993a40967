// A Garrison with nothing in it: each page says what would stand there and what to do. Then with one of each; and as
// somebody sees it who may do nothing.

import assert from 'node:assert/strict';

import { Table } from './table.mjs';
import { en } from './words.mjs';

/** Pages on which nothing is, and what says so. */
const NOTHING = {
  '/': 'home.checklist',
  '/alerts': 'alerts.empty',
  '/search': 'search.none_hint',
  '/search?mode=sql': 'search.sql_empty',
  '/search?live=1': 'search.live_none',
  '/people?tab=groups': 'people.no_groups',
  '/people?tab=posts': 'people.no_posts',
  '/settings/tokens': 'people.no_tokens',
  '/host/nobody-knows': 'entity.nothing',
  '/address/192.0.2.77': 'entity.nothing',
  '/user/nobody-knows': 'entity.nothing',
  '/sources/nobody-knows': 'sources.unknown_hint',
  '/tree?text=nowhere': 'tree.none_found',
  '/detections?text=nothing-of-the-kind': 'detections.none_fit',
  '/audit?operation=nothing%3Asuch': 'audit.none_fit',
  '/reviews?state=signed': 'audit.no_review_fits',
  '/there/is/nothing': 'frame.unknown_page_words',
};

/** All pages of the navigation, and who may open them. */
const PAGES = {
  '/alerts': ['alert:list'],
  '/search': ['log:search'],
  '/detections': ['rule:list'],
  '/sources': ['source:list'],
  '/people': ['person:list'],
  '/tree': ['node:list'],
  '/audit': ['audit:list'],
  '/reviews': ['review:list'],
};

const nameOf = (path) => path.replace(/\W+/g, '-').replace(/^-|-$/g, '') || 'home';

async function nothing(stage, page) {
  for (const [path, key] of Object.entries(NOTHING)) {
    await stage.show(page, path);
    await page.getByRole('main').getByText(en(key)).first().waitFor();
    await stage.fits(page, path);
    await stage.shoot(`empty-${nameOf(path)}`, page);
  }
  // What is listed is what there is: nothing more is promised.
  await stage.show(page, '/sources');
  const sources = (await stage.api(page, '/source')).items;
  assert.equal(await page.getByRole('main').getByRole('link').filter({ hasText: en('sources.standing_unheard') }).count(), sources.length);
  await stage.shoot('empty-sources', page);
}

/** One event, one alert, one row. */
async function one(stage, page) {
  await stage.ask({ do: 'source', name: 'first' });
  await stage.ask({
    do: 'send', source: 'first', text: 'Nov 22 10:00:00 lonely sshd[77]: Accepted password for deploy from 203.0.113.24 port 50111 ssh2',
  });
  await stage.until('the alert', async () => (await stage.api(page, '/alert')).items.length === 1);
  for (const [path, label] of [['/alerts', 'alerts.alerts'], ['/search', 'search.rows']]) {
    await stage.show(page, path);
    const table = new Table(page, en(label));
    await table.rows.first().waitFor();
    assert.equal(await table.count(), 1);
    await stage.shoot(`one-${nameOf(path)}`, page);
  }
  await stage.show(page, '/host/lonely');
  await page.getByText(en('entity.sentence_open', { count: 1, level: en('chart.level_high') })).waitFor();
  await stage.shoot('one-host', page);
}

/** Somebody without any role: only what they may open is offered, all else says what is missing. */
async function member(stage) {
  await stage.ask({ do: 'person', name: 'mia' });
  const page = await stage.enter('mia');
  await stage.show(page, '/');
  await page.getByText(en('home.nothing_granted')).waitFor();
  await stage.shoot('member-home', page);
  const { may } = await stage.api(page, '/whoami');
  const navigation = page.getByRole('navigation', { name: en('frame.navigation') });
  for (const [path, verbs] of Object.entries(PAGES)) {
    const isOpen = verbs.some((verb) => may.includes(verb));
    assert.equal(await navigation.locator(`a[href="${path}"]`).count(), isOpen ? 1 : 0, `${path} in the navigation`);
    await stage.show(page, path);
    const denied = page.getByRole('heading', { level: 1, name: en('frame.denied_page') });
    assert.equal(await denied.count(), isOpen ? 0 : 1, path);
    if (!isOpen) await page.getByText(verbs[0], { exact: true }).waitFor();
    await stage.shoot(`member-${nameOf(path)}`, page);
    await stage.show(page, '/');
  }
  for (const part of ['appearance', 'sessions', 'tokens', 'password', 'about', 'configuration', 'health']) {
    await stage.show(page, `/settings/${part}`);
    const isHidden = { configuration: 'server:config', health: 'server:show' }[part];
    assert.equal(await page.getByText(en('settings.no_part')).count(), isHidden && !may.includes(isHidden) ? 1 : 0, part);
  }
  await stage.shoot('member-settings', page);
  // The keys lead nowhere else either.
  assert.ok(!may.includes('audit:list'));
  await page.keyboard.press('g');
  await page.keyboard.press('u');
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await page.waitForURL((url) => url.pathname === '/');
  await page.goBack();
  assert.equal(new URL(page.url()).pathname, '/settings/health');
}

export default async function (stage) {
  // What does not exist is asked for.
  stage.expect(/status of 4(03|04)/);
  await stage.ask({ do: 'person', name: 'otto', roles: ['administrator', 'analyst', 'auditor'] });
  const page = await stage.enter('otto');
  await nothing(stage, page);
  await one(stage, page);
  await member(stage);
}
