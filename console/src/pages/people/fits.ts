// Looking through a list that is there in full.

/** Whether every word stands in one of the texts, in any case. */
export function fits(words: string, texts: readonly string[]): boolean {
  const text = texts.join('\n').toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Whether a path is the other one, or below it. */
export function isWithin(path: string, scope: string): boolean {
  return scope === '' || path === scope || path.startsWith(`${scope}/`);
}
