// Lists every package that is inside Garrison, with its licence, for the page that tells of them. The same packages make the
// same file, on every machine.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const json = (path) => JSON.parse(readFileSync(file(path), 'utf8'));

/** What Svelte's runtime takes of other packages; the rest that Svelte depends on is its compiler. */
const RUNTIME = ['clsx', 'esm-env'];
/** The platform that releases are made for. */
const PLATFORM = 'x86_64-unknown-linux-gnu';

/** The packages that a browser gets. */
function consolePackages() {
  const locked = json('../package-lock.json').packages;
  const found = new Map();
  // As Node looks for it: beside whoever asks, then further up.
  const placeOf = (name, from) => {
    const place = from ? `${from}/node_modules/${name}` : `node_modules/${name}`;
    if (place in locked) return place;
    if (!from) throw new Error(`package-lock.json does not have ${name}`);
    return placeOf(name, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))));
  };
  const take = (name, from) => {
    const place = placeOf(name, from);
    if (found.has(place)) return;
    const { version, license } = json(`../${place}/package.json`);
    found.set(place, { name, version, licence: license ?? '', part: 'console' });
    const needed = name === 'svelte' ? RUNTIME : Object.keys(locked[place].dependencies ?? {});
    for (const next of needed) take(next, place);
  };
  for (const name of [...Object.keys(json('../package.json').dependencies), 'svelte']) take(name, '');
  return [...found.values()];
}

/** The crates that the program is built from: what `garrison` needs to run, without tests and build scripts. */
function serverPackages() {
  const args = ['metadata', '--format-version', '1', '--locked', '--filter-platform', PLATFORM, '--manifest-path', file('../../Cargo.toml')];
  const text = execFileSync(process.env.CARGO ?? 'cargo', args, { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'] });
  const { packages, resolve } = JSON.parse(text);
  const crates = new Map(packages.map((crate) => [crate.id, crate]));
  const needs = new Map(resolve.nodes.map(({ id, deps }) => [id, deps.filter(({ dep_kinds }) => dep_kinds.some(({ kind }) => kind === null)).map(({ pkg }) => pkg)]));
  const program = packages.find(({ name, source }) => name === 'garrison' && source === null);
  if (!program) throw new Error('the workspace has no crate `garrison`');
  const found = new Set();
  const take = (id) => {
    if (found.has(id)) return;
    found.add(id);
    for (const next of needs.get(id) ?? []) take(next);
  };
  take(program.id);
  return [...found]
    .map((id) => crates.get(id))
    .filter(({ source }) => source !== null)
    .map(({ name, version, license, license_file }) => ({ name, version, licence: license ?? license_file?.split('/').at(-1) ?? '', part: 'server' }));
}

const all = [...serverPackages(), ...consolePackages()];
const nameless = all.filter(({ licence }) => typeof licence !== 'string' || !licence);
if (nameless.length > 0) throw new Error(`no licence is told of ${nameless.map(({ name }) => name).join(', ')}`);
const key = ({ part, name, version }) => `${part}\n${name}\n${version}`;
all.sort((a, b) => (key(a) < key(b) ? -1 : 1));
writeFileSync(file('../src/pages/settings/licences.generated.json'), `${JSON.stringify(all)}\n`);
