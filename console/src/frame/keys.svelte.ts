// The keys of the page: single ones, with modifiers (`mod` is Ctrl, or Cmd on a Mac), and sequences such as `g a`. What is
// registered last counts first, so that a dialog or table takes a key before the page under it.

import { SvelteMap } from 'svelte/reactivity';

export interface Binding {
  keys: string;
  /** What it does, for the help; nothing where it is not told there. */
  words: string;
  run: (event: KeyboardEvent) => void;
}

/** How long a sequence may take between two keys, in milliseconds. */
const SEQUENCE = 1000;

const bindings = new SvelteMap<number, Binding>();
let next = 0;
let begun = '';
let timer: ReturnType<typeof setTimeout> | undefined;

/** Registers keys; the function that is returned takes them back, as `$effect` wants it. */
export function bind(keys: string, words: string, run: (event: KeyboardEvent) => void): () => void {
  const id = next++;
  bindings.set(id, { keys, words, run });
  return () => bindings.delete(id);
}

/** Registers several keys at once. `label` has the words of those that the help tells of. */
export function onKeys(
  runs: Record<string, (event: KeyboardEvent) => void>,
  { label = {} }: { label?: Record<string, string> } = {},
): () => void {
  const off = Object.entries(runs).map(([keys, run]) => bind(keys, label[keys] ?? '', run));
  return () => off.forEach((undo) => undo());
}

/** What the help tells: each key once, what is registered last first. */
export function described(): Binding[] {
  const all = [...bindings.values()].reverse().filter(({ words }) => words);
  return all.filter(({ keys }, index) => all.findIndex((other) => other.keys === keys) === index).reverse();
}

/** How a key is named here: `j`, `?`, `shift+Enter`, `mod+k`. */
export function nameOf(event: KeyboardEvent): string {
  const { key } = event;
  const modifiers = [
    event.ctrlKey || event.metaKey ? 'mod' : '',
    event.altKey ? 'alt' : '',
    // A letter or sign says itself whether shift was held.
    event.shiftKey && key.length > 1 ? 'shift' : '',
  ];
  return [...modifiers.filter(Boolean), key === ' ' ? 'space' : key].join('+');
}

function isTyping(target: EventTarget | null): boolean {
  const element = target instanceof HTMLElement ? target : null;
  if (!element) return false;
  if (element.isContentEditable || element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement) return true;
  return element instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(element.type);
}

/** Takes what was pressed anywhere on the page. */
export function pressed(event: KeyboardEvent) {
  if (event.defaultPrevented || event.isComposing) return;
  const name = nameOf(event);
  if (isTyping(event.target) && !name.startsWith('mod+')) return;
  // What is under a dialog is out of reach.
  if (document.querySelector('dialog[open]:modal') && !name.startsWith('mod+')) return;
  clearTimeout(timer);
  const tried = begun ? [`${begun} ${name}`, name] : [name];
  begun = '';
  const all = [...bindings.values()].reverse();
  for (const keys of tried) {
    const found = all.find((binding) => binding.keys === keys);
    if (found) {
      event.preventDefault();
      found.run(event);
      return;
    }
  }
  if (all.some(({ keys }) => keys.startsWith(`${name} `))) {
    begun = name;
    timer = setTimeout(() => (begun = ''), SEQUENCE);
  }
}
