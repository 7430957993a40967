// Whether a proof proves the record that is shown, step by step.

import type { Proof } from '$/api/schema';

import { climb, hex, isSigned, parseProof, ProofError, same, type Climb, type Inclusion, type Wrong } from './merkle';
import type { Operation } from './records';

export interface Checked {
  inclusion: Inclusion;
  climb: Climb;
  /** The proof is about the record that is shown: its content and its place. */
  sameRecord: boolean;
  /** The way up ends at the checkpoint's root. */
  atRoot: boolean;
  /** The log's key signed the checkpoint; nothing where this browser cannot tell. */
  signed: boolean | undefined;
}

export type Verdict = { checked: Checked; wrong?: undefined } | { checked?: undefined; wrong: Wrong };

/** Checks a proof. What cannot even be read says why. */
export async function check({ proof, key }: Proof, record: Operation): Promise<Verdict> {
  try {
    const inclusion = parseProof(proof);
    const way = await climb(inclusion);
    const checked = {
      inclusion,
      climb: way,
      sameRecord: inclusion.index === BigInt(record.seq) - 1n && isSame(inclusion, record),
      atRoot: same(way.root, inclusion.checkpoint.root),
      signed: await isSigned(inclusion.checkpoint, key),
    };
    return { checked };
  } catch (error) {
    if (error instanceof ProofError) return { wrong: error.wrong };
    throw error;
  }
}

/** Everything that the record in the proof says is what is shown. */
function isSame({ record: bytes }: Inclusion, shown: Operation): boolean {
  try {
    const proven: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return canonical(proven) === canonical(shown);
  } catch {
    return false;
  }
}

/** The same text for the same value: names in order, and what is null as if it were absent. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    const entries = Object.entries(part).filter(([, inner]) => inner !== null);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Whether all of it holds, as far as this browser can tell. */
export function holds({ sameRecord, atRoot, signed }: Checked): boolean {
  return sameRecord && atRoot && signed !== false;
}

/** A hash as it is compared by eye: its beginning and its end. */
export function short(hash: Parameters<typeof hex>[0]): string {
  const digits = hex(hash);
  return `${digits.slice(0, 12)}…${digits.slice(-6)}`;
}
