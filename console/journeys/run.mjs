// Runs one journey in Chromium: `node run.mjs NAME`, with what it needs as a line of JSON on standard input. It says what
// it wants of the server's keeper as lines of JSON on standard output, and waits for an answer on standard input.

import { createInterface } from 'node:readline';

import { Stage } from './stage.mjs';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function heard() {
  const { value, done } = await lines.next();
  if (done) throw new Error('nobody answers any more');
  return JSON.parse(value);
}

const name = process.argv[2];
const given = await heard();
const keeper = async (wish) => {
  process.stdout.write(`${JSON.stringify(wish)}\n`);
  return heard();
};

const { default: journey } = await import(`./${name}.mjs`);
const stage = await Stage.open(given, keeper);
let failed;
try {
  await journey(stage);
  stage.verify();
} catch (error) {
  failed = error;
  await stage.shoot(`${name}-failed`).catch(() => undefined);
} finally {
  await stage.close();
}
if (failed) {
  process.stderr.write(`${failed.stack ?? failed}\n${stage.complaints()}\n`);
  process.exit(1);
}
process.exit(0);
