import { describe, expect, test } from 'vitest';

import { climb, hex, isSigned, parseCheckpoint, parseProof, ProofError, same, witnesses, type Bytes } from './merkle';

const encode = (text: string) => new TextEncoder().encode(text) as Bytes;
const base64 = (bytes: Bytes) => btoa(String.fromCharCode(...bytes));

async function sha256(...parts: Bytes[]): Promise<Bytes> {
  const bytes = Uint8Array.from(parts.flatMap((part) => [...part]));
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

const record = (index: number) => encode(`{"seq":${index + 1}}`);

/** The root of leaves, by the definition of RFC 6962, section 2.1: not as the code climbs. */
async function root(leaves: Bytes[]): Promise<Bytes> {
  const [only] = leaves;
  if (leaves.length === 1 && only) return only;
  const left = split(leaves.length);
  return sha256(Uint8Array.of(1), await root(leaves.slice(0, left)), await root(leaves.slice(left)));
}

/** The path of a leaf, by section 2.1.1. */
async function path(index: number, leaves: Bytes[]): Promise<Bytes[]> {
  if (leaves.length === 1) return [];
  const left = split(leaves.length);
  return index < left
    ? [...(await path(index, leaves.slice(0, left))), await root(leaves.slice(left))]
    : [...(await path(index - left, leaves.slice(left))), await root(leaves.slice(0, left))];
}

function split(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

interface Log {
  name: string;
  key: string;
  sign: (text: string) => Promise<string>;
}

async function log(name: string): Promise<Log> {
  const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify'])) as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const typed = Uint8Array.of(1, ...raw);
  const id = (await sha256(encode(`${name}\n`), typed)).slice(0, 4);
  const sign = async (text: string) => {
    const bytes = new Uint8Array(await crypto.subtle.sign({ name: 'Ed25519' }, pair.privateKey, encode(text)));
    return `— ${name} ${base64(Uint8Array.of(...id, ...bytes))}\n`;
  };
  return { name, key: `${name}+${hex(id)}+${base64(typed)}`, sign };
}

async function proof(index: number, size: number, { name, sign }: Log): Promise<string> {
  const leaves = await Promise.all(Array.from({ length: size }, (_, at) => sha256(Uint8Array.of(0), record(at))));
  const hashes = (await path(index, leaves)).map((hash) => `${base64(hash)}\n`).join('');
  const text = `${name}\n${size}\n${base64(await root(leaves))}\ntime 2026-11-22T10:00:00Z\n`;
  return `c2sp.org/tlog-proof@v1\nextra ${base64(record(index))}\nindex ${index}\n${hashes}\n${text}\n${await sign(text)}`;
}

describe('a proof', async () => {
  const ours = await log('garrison/test');

  test('of each record in trees of every small size leads to the root', async () => {
    for (let size = 1; size <= 20; size++) {
      for (let index = 0; index < size; index++) {
        const parsed = parseProof(await proof(index, size, ours));
        const { root } = await climb(parsed);
        expect(hex(root), `${index} of ${size}`).toBe(hex(parsed.checkpoint.root));
      }
    }
  });

  test('of another record leads elsewhere', async () => {
    const parsed = parseProof(await proof(4, 9, ours));
    const { root } = await climb({ ...parsed, record: record(5) });
    expect(same(root, parsed.checkpoint.root)).toBe(false);
  });

  test('that is too long, too short or of no place says so', async () => {
    const parsed = parseProof(await proof(4, 9, ours));
    const [first] = parsed.path;
    await expect(climb({ ...parsed, path: [...parsed.path, first ?? new Uint8Array(32)] })).rejects.toThrow(new ProofError('long'));
    await expect(climb({ ...parsed, path: parsed.path.slice(1) })).rejects.toThrow(new ProofError('short'));
    await expect(climb({ ...parsed, index: 9n })).rejects.toThrow(new ProofError('index'));
  });

  test('tells when its checkpoint was made, and who else signed it', async () => {
    const witness = await log('witness.example');
    const text = await proof(0, 1, ours);
    const { checkpoint } = parseProof(text + (await witness.sign('another text\n')));
    expect(checkpoint).toMatchObject({ origin: 'garrison/test', size: 1n, made: Date.parse('2026-11-22T10:00:00Z') });
    expect(witnesses(checkpoint)).toEqual(['witness.example']);
  });

  test.each([
    ['nothing', ''],
    ['no checkpoint', 'c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\n'],
    ['another head', 'c2sp.org/tlog-proof@v2\nextra YQ==\nindex 0\n\nlog\n1\n'],
    ['a place with a leading zero', 'c2sp.org/tlog-proof@v1\nextra YQ==\nindex 00\n\nlog\n1\n'],
    ['a hash that is too short', 'c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\nYQ==\n\nlog\n1\n'],
  ])('that is %s is refused', (_, text) => {
    expect(() => parseProof(text)).toThrow(ProofError);
  });
});

describe('a signature', async () => {
  const ours = await log('garrison/test');
  const other = await log('garrison/test');
  const text = 'garrison/test\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n';
  const signed = parseCheckpoint(`${text}\n${await ours.sign(text)}`);

  test('of the log holds', async () => {
    expect(await isSigned(signed, ours.key)).toBe(true);
  });

  test('over another text does not', async () => {
    expect(await isSigned({ ...signed, text: text.replace('\n1\n', '\n2\n') }, ours.key)).toBe(false);
  });

  test('of a key with the same name does not', async () => {
    expect(await isSigned(signed, other.key)).toBe(false);
  });

  test('is not looked for with a damaged key', async () => {
    await expect(isSigned(signed, ours.key.replace('garrison/', 'garrisom/'))).rejects.toThrow(new ProofError('key'));
  });
});
