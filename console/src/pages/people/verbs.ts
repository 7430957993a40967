// Verbs are `noun:action`. A token is limited to some of them.

/** The verbs of one noun. */
export interface Noun {
  noun: string;
  verbs: string[];
}

/** The most that a token may name. */
const MOST = 100;

/** Verbs by their nouns, both in order. */
export function byNoun(verbs: readonly string[]): Noun[] {
  const found = new Map<string, string[]>();
  for (const verb of [...new Set(verbs)].sort()) {
    const noun = verb.split(':')[0] ?? verb;
    found.set(noun, [...(found.get(noun) ?? []), verb]);
  }
  return [...found].map(([noun, verbs]) => ({ noun, verbs }));
}

/**
 * How a token is told what it may do. Each verb stands for itself, so that a verb of a later version is not taken in
 * unseen; only where there are too many, nouns that were chosen in full stand as `noun:*`.
 */
export function compact(chosen: ReadonlySet<string>, all: readonly string[]): string[] {
  const plain = [...chosen].sort();
  if (plain.length <= MOST) return plain;
  return byNoun(all).flatMap(({ noun, verbs }) => (verbs.every((verb) => chosen.has(verb)) ? [`${noun}:*`] : verbs.filter((verb) => chosen.has(verb))));
}
