// A running Garrison for `benches/console.mjs`, with its first administrator, and the events that fill it.

import { spawn, execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long is waited for something that comes, in milliseconds: the limit of patience, not a measurement. */
const PATIENCE = 1_800_000;
/** Entities in a batch of events of which each gets alerts of its own: `OF_BATCH` of `domains/detection/src/live.rs`. */
const ENTITIES = 300;
const SENDERS = 4;

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Server {
  /** Makes a server in a temporary folder and waits until it answers. */
  static async start(program) {
    const server = new Server();
    server.dir = mkdtempSync(join(tmpdir(), 'garrison-bench-'));
    try {
      await server.#begin(program);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async #begin(program) {
    const port = await free();
    this.url = `http://127.0.0.1:${port}`;
    const home = join(this.dir, 'garrison');
    execFileSync(program, ['init', home, '--listen', `127.0.0.1:${port}`, '--tenant', 'bench'], { stdio: 'ignore' });
    mkdirSync(join(home, 'garrison.d'), { recursive: true });
    writeFileSync(join(home, 'garrison.d/bench.toml'), '[server]\ntls = "off"\n[log]\nlevel = "warn,garrison=info"\n');
    this.log = join(this.dir, 'server.log');
    const log = openSync(this.log, 'a');
    this.process = spawn(program, ['serve', '--config', join(home, 'garrison.toml')], { stdio: ['ignore', log, log] });
    closeSync(log);
    await until(60_000, `an answer of the server (${this.log})`, () => this.#isReady());
    await this.#enter();
  }

  async #isReady() {
    if (this.process.exitCode !== null) throw new Error(`the server ended:\n${readFileSync(this.log, 'utf8').slice(-2000)}`);
    return fetch(`${this.url}/readyz`).then(({ ok }) => ok, () => false);
  }

  async ask(method, path, body, kind = 'application/json') {
    const headers = { 'content-type': kind, ...(this.session ? { authorization: `Bearer ${this.session}` } : {}) };
    const answer = await fetch(this.url + path, { method, headers, body: kind === 'application/json' ? JSON.stringify(body) : body });
    const text = await answer.text();
    if (!answer.ok) throw Object.assign(new Error(`${method} ${path}: ${answer.status} ${text}`), { status: answer.status });
    return text;
  }

  async get(path) {
    return JSON.parse(await this.ask('GET', `/api/v1${path}`));
  }

  async post(path, body) {
    return JSON.parse(await this.ask('POST', `/api/v1${path}`, body));
  }

  /** The first administrator, who may also search and send. */
  async #enter() {
    const [, invitation] = readFileSync(this.log, 'utf8').match(/\/activate\/(\S+?)'?\s/) ?? [];
    const profile = { name: 'bench', full_name: 'Bench', email: 'bench@example.org' };
    const { login } = await this.post('/login/begin', { invitation, kind: 'cli', profile });
    const { enrolment } = await this.post('/login/step', { login, new_password: 'a bench lasts for some minutes' });
    this.session = (await this.post('/login/step', { login, code: code(enrolment.secret) })).session;
    const { id: holder } = await this.get('/whoami');
    const { items: [{ id: node }] } = await this.get('/node');
    for (const role of ['analyst', 'sender']) {
      await this.post('/grant/create', { holder, node, role, duty: 'bench', reason: 'bench' });
    }
    await this.post('/source/create', { node, name: 'http', purpose: 'bench' });
  }

  /** A link that opens the console once, as the administrator. */
  async link() {
    return (await this.post('/session/hand-over', {})).path;
  }

  async events() {
    const answer = await this.ask('POST', '/api/v1/log/search', { sql: 'SELECT count(*) AS n FROM logs', from: '7d' });
    const [row, end] = answer.trim().split('\n').map((line) => JSON.parse(line));
    if (!end?._end?.complete) throw new Error(`the events were not counted: ${answer}`);
    return row.n;
  }

  async alerts() {
    return (await this.get('/alert/summary?buckets=1')).total;
  }

  /** Sends events, some of which a rule matches, and waits until all are found and raised, and are in files. */
  async fill(alerts, events, say) {
    const before = await this.events();
    const wanted = requests(alerts, events);
    const send = async () => {
      for (const body of wanted) await this.#send(body);
    };
    await Promise.all(Array.from({ length: SENDERS }, send));
    say('sent; waiting until all are found');
    await until(PATIENCE, `${events} events`, async () => (await this.events()) >= before + events);
    say('found; waiting until all alerts are raised and all events are in files');
    // What is in memory is written when its oldest row is a minute old.
    await pause(75_000);
    let [raised, earlier] = [await this.alerts(), -1];
    while (raised < alerts && raised > earlier) {
      await pause(10_000);
      [raised, earlier] = [await this.alerts(), raised];
    }
    if (raised !== alerts) throw new Error(`there are ${raised} alerts instead of ${alerts}: each line must be matched by one rule`);
  }

  /** What finds no room was not taken, and is sent again. */
  async #send(body) {
    for (;;) {
      try {
        return await this.ask('POST', '/api/v1/intake/http', body, 'text/plain');
      } catch (error) {
        if (![429, 503].includes(error.status)) throw error;
        await pause(200);
      }
    }
  }

  /** Ends it and takes its folder away. */
  async stop() {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) {
      const ended = new Promise((done) => this.process.once('exit', done));
      this.process.kill('SIGTERM');
      const late = setTimeout(() => this.process.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(late);
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

async function until(patience, what, ask) {
  const end = Date.now() + patience;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await pause(100);
  }
}

function free() {
  return new Promise((done, failed) => {
    const probe = createServer().once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** The code of now for a secret in base 32 (RFC 6238). */
function code(secret) {
  const five = (letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0');
  const bits = [...secret.replace(/=+$/, '')].map(five).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const turn = Buffer.alloc(8);
  turn.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', key).update(turn).digest();
  const number = mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** What four starter rules of different levels match, each alone. */
const FOUND = [
  (host) => `<38>1 ${stamp()} ${host} sudo - - - deploy : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/bash`,
  (host) => `<38>1 ${stamp()} ${host} sshd 811 - - Authentication tried for deploy with correct key but not from a permitted host (ip=198.51.100.40).`,
  (host) => `<38>1 ${stamp()} ${host} sshd 812 - - error: maximum authentication attempts exceeded for root from 203.0.113.24 port 55301 ssh2 [preauth]`,
  (host) => `<86>1 ${stamp()} ${host} useradd 813 - - new user: name=sysadm, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0`,
];

const stamp = () => new Date().toISOString();

/** Bodies of requests: those that make alerts, each of hosts of their own, evenly among the others. */
function* requests(alerts, events) {
  const next = random(11);
  const words = Array.from({ length: 4000 }, () => next().toString(36).slice(2, 6 + Math.floor(next() * 6)));
  const parts = Math.max(1, Math.ceil(alerts / ENTITIES));
  const others = Math.max(0, events - alerts);
  for (let part = 0; part < parts; part += 1) {
    const first = part * ENTITIES;
    const hosts = Array.from({ length: Math.min(ENTITIES, alerts - first) }, (_, place) => first + place);
    if (hosts.length > 0) yield hosts.map((host) => FOUND[host % FOUND.length](`al-${host}.example`)).join('\n');
    const upto = Math.floor((others * (part + 1)) / parts);
    for (let at = Math.floor((others * part) / parts); at < upto; at += 1000) {
      yield Array.from({ length: Math.min(1000, upto - at) }, (_, place) => line(at + place, next, words)).join('\n');
    }
  }
}

/** A line of about 500 bytes: logins, requests and chatter of 500 hosts. */
function line(number, next, words) {
  const below = (most) => Math.floor(next() * most);
  const [host, pid, ip] = [`host-${below(500)}`, below(40_000), `10.${below(200)}.${below(250)}.${below(250)}`];
  const begin = (priority, program) => `<${priority}>1 ${stamp()} ${host} ${program} ${pid} - - `;
  let text =
    number % 4 === 0 ? `${begin(38, 'sshd')}Accepted publickey for user${below(900)} from ${ip} port ${pid} ssh2: `
    : number % 4 === 1 ? `${begin(134, 'nginx')}${ip} - - [22/Nov/2026:10:00:00 +0000] "GET /item/${pid} HTTP/1.1" 200 ${pid} "-" "Mozilla/5.0" `
    : `${begin(134, 'app')}level=info request=${below(10 ** 9)} client=${ip} `;
  while (text.length < 500) text += `${words[below(words.length)]} `;
  return text.trimEnd();
}

/** Numbers from 0 to 1, the same for the same seed (xorshift32, Marsaglia 2003). */
function random(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
