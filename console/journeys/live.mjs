// The server is killed under open pages and comes back: they say so, go on by themselves, and nothing is lost or doubled.
// A session that ends elsewhere leads to the login, and from there back to where one was.

import assert from 'node:assert/strict';

import { Table } from './table.mjs';
import { en } from './words.mjs';

/** A line that raises an alert about a host of its own. */
const login = (host) => `Nov 22 10:00:00 ${host} sshd[77]: Accepted password for deploy from 203.0.113.24 port 50111 ssh2`;

const lost = (page) => page.getByRole('banner').getByRole('status').getByText(en('frame.disconnected'));

/** All lines are in the table, each once, the latest first. */
async function complete(stage, page, wanted) {
  const table = new Table(page, en('search.rows'));
  const numbers = async () => (await table.texts()).flatMap((cells) => cells.join(' ').match(/line (\d+) of many/)?.[1] ?? []).map(Number);
  await stage.until(`${wanted} lines`, async () => (await numbers()).length >= wanted);
  assert.deepEqual(await numbers(), Array.from({ length: wanted }, (_, index) => wanted - index));
}

export default async function (stage) {
  // The connection breaks on purpose, and a session ends on purpose.
  stage.expect(/net::ERR_/, /status of (401|50[234])/);
  let sent = 0;
  const send = async (count) => {
    for (let each = 0; each < count; each += 1) {
      sent += 1;
      await stage.ask({ do: 'send', source: 'shop', text: `{"message": "line ${sent} of many"}` });
    }
  };
  const hosts = [];
  const attack = async (host) => {
    hosts.push(host);
    await stage.ask({ do: 'send', source: 'shop', text: login(host) });
  };

  await attack('one-1');
  const alerts = await stage.enter();
  await stage.until('the first alert', async () => (await stage.api(alerts, '/alert')).items.length === 1);
  await stage.show(alerts, '/alerts');
  const table = new Table(alerts, en('alerts.alerts'));
  assert.equal(await table.count(), 1);
  const tail = await stage.enter();
  await stage.show(tail, '/search?live=1&from=1h&query=many');
  const bar = tail.getByRole('region', { name: en('search.live_bar') });
  await bar.getByText(en('search.live_open'), { exact: true }).waitFor();
  await send(3);
  await complete(stage, tail, sent);

  for (const round of [1, 2]) {
    // What comes right before the end and right after the start must not fall between.
    await send(2);
    await attack(`before-${round}`);
    await stage.ask({ do: 'kill' });
    await lost(alerts).waitFor();
    await bar.getByText(en('search.live_waiting'), { exact: true }).waitFor();
    await stage.shoot(`live-lost-${round}`, tail);
    // What is shown stays.
    assert.ok((await table.count()) >= 1);
    await stage.ask({ do: 'start' });
    await attack(`after-${round}`);
    await send(2);
    await lost(alerts).waitFor({ state: 'detached' });
    await bar.getByText(en('search.live_open'), { exact: true }).waitFor();
    await complete(stage, tail, sent);
    await stage.until('the alerts to be raised', async () => (await stage.api(alerts, '/alert')).items.length === hosts.length);
    // The page tells of what is new, and shows it when somebody wants it.
    await alerts.getByRole('button', { name: en('alerts.fresh', { count: 2 }) }).click();
    await stage.until('all alerts', async () => (await table.count()) === hosts.length);
    for (const host of hosts) assert.equal(await table.with(host).count(), 1, host);
    await stage.shoot(`live-again-${round}`, alerts);
  }

  // What somebody else does with an alert shows here by itself.
  const other = await stage.enter();
  const [first] = (await stage.api(other, '/alert')).items;
  await stage.api(other, '/alert/acknowledge', { alert: first.id });
  await table.with(first.entity).getByText(en('alerts.state_acknowledged')).waitFor();

  await ended(stage, other);
}

/** Somebody's session ends elsewhere: the login leads back to the same address. */
async function ended(stage, page) {
  const { id, password } = await stage.ask({ do: 'person', name: 'olga', roles: ['analyst'] });
  const theirs = await stage.enter('olga');
  const here = '/alerts?query=host%3Aone-1&sort=level';
  await stage.show(theirs, here);
  await stage.api(page, '/account/end-all', { person: id });
  await theirs.waitForURL((url) => url.pathname === '/login');
  await stage.shoot('live-ended', theirs);
  await theirs.locator('input[name=name]').fill('olga');
  await theirs.locator('input[name=password]').fill(password);
  await theirs.locator('main form button[type=submit]').first().click();
  await theirs.locator('input[name=code]').fill((await stage.ask({ do: 'code', who: 'olga' })).code);
  await theirs.locator('main form button[type=submit]').first().click();
  await theirs.waitForURL((url) => url.pathname + url.search === here);
  await new Table(theirs, en('alerts.alerts')).with('one-1').waitFor();
}
