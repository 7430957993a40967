// Checking a proof in the browser, apart from the server that made it. The forms are C2SP tlog-proof, tlog-checkpoint and
// signed-note; the tree is that of RFC 6962, and an inclusion is checked as RFC 9162, section 2.1.3.2, says.

export type Bytes = Uint8Array<ArrayBuffer>;

/** What is wrong with a proof. */
export type Wrong = 'form' | 'index' | 'short' | 'long' | 'root' | 'key';

export class ProofError extends Error {
  constructor(readonly wrong: Wrong) {
    super(wrong);
    this.name = 'ProofError';
  }
}

interface Signature {
  name: string;
  /** The first four bytes: which key. */
  id: Bytes;
  bytes: Bytes;
}

export interface Checkpoint {
  /** Which log. */
  origin: string;
  /** How many records it has. */
  size: bigint;
  root: Bytes;
  /** When it was made, in milliseconds, where it tells. */
  made: number | undefined;
  /** What was signed, byte for byte. */
  text: string;
  signatures: Signature[];
}

export interface Inclusion {
  /** The place in the log, counted from 0. */
  index: bigint;
  /** The siblings on the way from the leaf to the root. */
  path: Bytes[];
  /** The record, as it is a leaf of the tree. */
  record: Bytes;
  checkpoint: Checkpoint;
}

/** One hash on the way up. */
export interface Step {
  /** The sibling that the proof brought, and on which side it stands. */
  sibling: Bytes;
  side: 'left' | 'right';
  hash: Bytes;
}

export interface Climb {
  leaf: Bytes;
  steps: Step[];
  /** Where it leads to. */
  root: Bytes;
}

const HEAD = 'c2sp.org/tlog-proof@v1';
/** More hashes than any tree of fewer than 2^64 leaves needs. */
const MOST_HASHES = 64;

/** Reads a proof that brings its record along. */
export function parseProof(text: string): Inclusion {
  const end = text.indexOf('\n\n');
  if (end < 0) throw new ProofError('form');
  const [head, extra = '', place = '', ...path] = text.slice(0, end).split('\n');
  const index = /^index (0|[1-9]\d{0,19})$/.exec(place)?.[1];
  if (head !== HEAD || !extra.startsWith('extra ') || index === undefined || path.length > MOST_HASHES) throw new ProofError('form');
  return {
    index: BigInt(index),
    path: path.map((line) => hashIn(line)),
    record: fromBase64(extra.slice('extra '.length)),
    checkpoint: parseCheckpoint(text.slice(end + 2)),
  };
}

/** Reads a signed checkpoint. */
export function parseCheckpoint(note: string): Checkpoint {
  const end = note.lastIndexOf('\n\n');
  if (end < 0) throw new ProofError('form');
  const text = note.slice(0, end + 1);
  const [origin = '', size = '', root = '', ...more] = text.split('\n');
  if (!origin || !/^(0|[1-9]\d{0,19})$/.test(size)) throw new ProofError('form');
  const time = more.find((line) => line.startsWith('time '))?.slice('time '.length);
  const made = time === undefined ? Number.NaN : Date.parse(time);
  const lines = note.slice(end + 2).split('\n').filter(Boolean);
  return {
    origin, text,
    size: BigInt(size),
    root: hashIn(root),
    made: Number.isNaN(made) ? undefined : made,
    signatures: lines.map(signatureIn),
  };
}

function signatureIn(line: string): Signature {
  const [, name = '', base64 = ''] = /^— (\S+) (\S+)$/.exec(line) ?? [];
  const bytes = fromBase64(base64);
  if (!name || bytes.length < 5) throw new ProofError('form');
  return { name, id: bytes.slice(0, 4), bytes: bytes.slice(4) };
}

/** Hashes from the record up to the root. It is for whoever calls to compare that with the checkpoint's. */
export async function climb({ index, path, record, checkpoint }: Inclusion): Promise<Climb> {
  if (index >= checkpoint.size) throw new ProofError('index');
  let node = index;
  let last = checkpoint.size - 1n;
  const leaf = await sha256(join([Uint8Array.of(0), record]));
  let hash = leaf;
  const steps: Step[] = [];
  for (const sibling of path) {
    if (last === 0n) throw new ProofError('long');
    const isRight = node % 2n === 1n || node === last;
    hash = await sha256(join(isRight ? [Uint8Array.of(1), sibling, hash] : [Uint8Array.of(1), hash, sibling]));
    steps.push({ sibling, side: isRight ? 'left' : 'right', hash });
    // A node without a right sibling stands for its parent too.
    while (isRight && node % 2n === 0n && node !== 0n) {
      node /= 2n;
      last /= 2n;
    }
    node /= 2n;
    last /= 2n;
  }
  if (last !== 0n) throw new ProofError('short');
  return { leaf, steps, root: hash };
}

/** Whether the log's key signed the checkpoint; nothing where this browser cannot check such signatures. */
export async function isSigned(checkpoint: Checkpoint, key: string): Promise<boolean | undefined> {
  const { name, id, raw } = await readKey(key);
  const signature = checkpoint.signatures.find((one) => one.name === name && same(one.id, id));
  if (!signature || checkpoint.origin !== name) return false;
  try {
    const imported = await crypto.subtle.importKey('raw', raw, { name: 'Ed25519' }, false, ['verify']);
    return await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature.bytes, new TextEncoder().encode(checkpoint.text));
  } catch {
    return undefined;
  }
}

/** How many others than the log itself signed the checkpoint. */
export function witnesses({ origin, signatures }: Checkpoint): string[] {
  return signatures.map(({ name }) => name).filter((name) => name !== origin);
}

// `NAME+ID+BASE64`: the id is the beginning of a hash over name, type and key, so a damaged key is found.
async function readKey(key: string): Promise<{ name: string; id: Bytes; raw: Bytes }> {
  const [, name = '', digits = '', base64 = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(key) ?? [];
  const typed = fromBase64(base64);
  if (!name || typed.length !== 33 || typed[0] !== 1) throw new ProofError('key');
  const id = (await sha256(join([new TextEncoder().encode(`${name}\n`), typed]))).slice(0, 4);
  if (hex(id) !== digits) throw new ProofError('key');
  return { name, id, raw: typed.slice(1) };
}

/** Whether this page may hash at all: browsers offer it to pages that came over TLS, or from this very machine. */
export function canHash(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

function join(parts: Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function hashIn(base64: string): Bytes {
  const hash = fromBase64(base64);
  if (hash.length !== 32) throw new ProofError('form');
  return hash;
}

function fromBase64(text: string): Bytes {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    throw new ProofError('form');
  }
}

/** Bytes in hexadecimal digits. */
export function hex(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether two hashes are the same. */
export function same(a: Bytes, b: Bytes): boolean {
  return hex(a) === hex(b);
}
