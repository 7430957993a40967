// What the palette finds: pages, actions, ranges of time, nodes, and whatever the server knows by a name.

import uFuzzy from '@leeoniya/ufuzzy';

import { api, data } from '$/api/client';
import { t } from '$/i18n';
import { GROUPS, PAGES } from '$/pages/registry';
import { change, go, href } from '$/routing/router.svelte';
import { may } from '$/state/me.svelte';
import { OFFERED, words as rangeWords } from '$/time/range';
import type { IconName } from '$/ui/icons';

import { actions } from './actions';

export interface Item {
  id: string;
  /** Under which heading it stands. */
  kind: 'page' | 'action' | 'time' | 'node' | 'person' | 'rule' | 'source' | 'entity' | 'alert';
  words: string;
  detail?: string;
  icon: IconName;
  keys?: string;
  run: () => void;
}

const HAN = /\p{Script=Han}/u;
const fuzzy = new uFuzzy({ intraMode: 1, unicode: true, interSplit: "[^\\p{L}\\d']+", intraSplit: '\\p{Ll}\\p{Lu}' });

/** How somebody may type Chinese words: in syllables, and by the first letter of each. */
async function spelled(words: string): Promise<string> {
  if (!HAN.test(words)) return words;
  const { pinyin } = await import('pinyin-pro');
  const syllables = pinyin(words, { toneType: 'none', type: 'array' });
  const initials = pinyin(words, { toneType: 'none', pattern: 'first', type: 'array' });
  return `${words} ${syllables.join('')} ${initials.join('')}`;
}

/** Those that fit what was typed, the best first. */
export async function fitting(items: readonly Item[], typed: string): Promise<Item[]> {
  const wanted = typed.trim();
  if (!wanted) return [...items];
  const hay = await Promise.all(items.map((item) => spelled(`${item.words} ${item.detail ?? ''}`)));
  const [found, info, order] = fuzzy.search(hay, wanted, 1);
  if (!found) return [];
  const indices = info && order ? order.map((place) => info.idx[place]) : found;
  return indices.flatMap((index) => (index === undefined ? [] : (items[index] ?? [])));
}

/** What is there before anything is asked of the server. */
export function fixedItems(node: string): Item[] {
  const pages = PAGES.filter((page) => page.icon && !page.path.includes(':') && (!page.verbs || page.verbs.some(may)))
    .sort((one, other) => GROUPS.indexOf(one.group ?? 'work') - GROUPS.indexOf(other.group ?? 'work'))
    .map((page): Item => ({
      id: `page ${page.path}`,
      kind: 'page',
      words: t(`nav.${page.name}`),
      icon: page.icon ?? 'home',
      keys: page.keys,
      run: () => go(href(page.path, { node })),
    }));
  const doing = actions().map((action): Item => ({ id: `action ${action.name}`, kind: 'action', words: action.words, icon: action.icon, keys: action.keys, run: action.run }));
  const times = OFFERED.map((from): Item => ({
    id: `time ${from}`,
    kind: 'time',
    words: rangeWords({ from, to: '' }),
    icon: 'clock',
    run: () => change({ from, to: '' }),
  }));
  return [...pages, ...doing, ...times];
}

/** What the typed text itself may be: an address, a name, a digest, an id. */
export function readings(typed: string): Item[] {
  const text = typed.trim();
  if (text.length < 2) return [];
  const items: Item[] = [];
  const entity = (kind: 'host' | 'user' | 'address', icon: IconName) =>
    items.push({ id: `entity ${kind}`, kind: 'entity', words: t(`palette.open_${kind}`, { name: text }), icon, run: () => go(`/${kind}/${encodeURIComponent(text)}`) });
  if (may('alert:show') && /^alr_[0-9a-z]+$/i.test(text)) {
    items.push({ id: 'alert', kind: 'alert', words: t('palette.open_alert', { name: text }), icon: 'alert', run: () => go(`/alerts/${text}`) });
  }
  if (may('log:search')) {
    const isAddress = /^(\d{1,3}\.){3}\d{1,3}$/.test(text) || (/^[0-9a-f:]+$/i.test(text) && text.includes(':'));
    if (isAddress) entity('address', 'address');
    else if (/^[\w.@-]+$/.test(text)) {
      entity('host', 'host');
      entity('user', 'user');
    }
    const query = /^[\w.-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
    items.push({ id: 'search', kind: 'entity', words: t('palette.search_logs', { name: text }), icon: 'search', run: () => go(href('/search', { query })) });
  }
  return items;
}

/** What the server knows by this text. Whoever may not ask gets nothing. */
export async function known(typed: string, signal: AbortSignal): Promise<Item[]> {
  const text = typed.trim();
  if (text.length < 2) return [];
  const people = may('person:list')
    ? data(api.GET('/api/v1/person', { params: { query: { text, limit: 5 } }, signal })).then(({ items }) =>
        items.map((person): Item => ({ id: person.id, kind: 'person', words: person.full_name, detail: person.name, icon: 'user', run: () => go(`/people/${person.id}`) })))
    : [];
  const rules = may('rule:list')
    ? data(api.GET('/api/v1/rule', { params: { query: { text, limit: 5 } }, signal })).then(({ items }) =>
        items.map((rule): Item => ({ id: rule.id, kind: 'rule', words: rule.title, detail: rule.techniques.join(' '), icon: 'rule', run: () => go(`/detections/${encodeURIComponent(rule.id)}`) })))
    : [];
  const asked = await Promise.allSettled([people, rules]);
  return asked.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

/** Nodes and sources, which are few: read once when the palette is opened, and found by their names. */
export async function named(signal: AbortSignal): Promise<Item[]> {
  const nodes = may('node:list')
    ? data(api.GET('/api/v1/tree', { signal })).then((all) =>
        all.slice(0, 5000).map((node): Item => ({ id: node.id, kind: 'node', words: node.path, icon: 'tree', run: () => change({ node: node.id }, { replace: false }) })))
    : [];
  const sources = may('source:list')
    ? data(api.GET('/api/v1/source', { params: { query: { limit: 500 } }, signal })).then(({ items }) =>
        items.map((source): Item => ({ id: source.id, kind: 'source', words: source.name, icon: 'source', run: () => go(`/sources/${source.id}`) })))
    : [];
  const asked = await Promise.allSettled([nodes, sources]);
  return asked.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}
