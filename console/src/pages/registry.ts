// Every page: where it is, where it stands in the navigation, who may open it, and how it is loaded. A further capability
// adds its lines here, and nothing else of the frame changes.

import type { Component } from 'svelte';

import type { IconName } from '$/ui/icons';

export type Group = 'work' | 'detect' | 'respond' | 'access' | 'estate' | 'assure';

export const GROUPS: readonly Group[] = ['work', 'detect', 'respond', 'access', 'estate', 'assure'];

export interface Page {
  /** Its name in messages: `nav.<name>`. */
  name: string;
  /** The pattern of its path; the values of `:names` are the properties of the component. */
  path: string;
  load: () => Promise<{ default: Component<Record<string, string>> }>;
  /** Where it stands in the navigation; absent for pages that are reached from others. */
  group?: Group;
  icon?: IconName;
  /** The keys that lead to it: `g a`. */
  keys?: string;
  /** One of these must be allowed somewhere; none for everybody. */
  verbs?: readonly string[];
  /** Shown only where the console is built for development. */
  development?: boolean;
}

type Loaded = { default: Component<Record<string, string>> };
const load = (component: () => Promise<unknown>) => component as () => Promise<Loaded>;

export const PAGES: readonly Page[] = [
  { name: 'home', path: '/', group: 'work', icon: 'home', keys: 'g h', load: load(() => import('./home/Home.svelte')) },

  { name: 'alerts', path: '/alerts', group: 'detect', icon: 'alert', keys: 'g a', verbs: ['alert:list'], load: load(() => import('./alerts/Alerts.svelte')) },
  { name: 'alert', path: '/alerts/:alert', verbs: ['alert:show'], load: load(() => import('./alerts/AlertPage.svelte')) },
  { name: 'search', path: '/search', group: 'detect', icon: 'search', keys: 'g s', verbs: ['log:search'], load: load(() => import('./search/Search.svelte')) },
  { name: 'detections', path: '/detections', group: 'detect', icon: 'rule', keys: 'g d', verbs: ['rule:list'], load: load(() => import('./detections/Detections.svelte')) },
  { name: 'rule', path: '/detections/:rule', verbs: ['rule:show'], load: load(() => import('./detections/RulePage.svelte')) },
  { name: 'sources', path: '/sources', group: 'detect', icon: 'source', keys: 'g o', verbs: ['source:list'], load: load(() => import('./sources/Sources.svelte')) },
  { name: 'source', path: '/sources/:source', verbs: ['source:list'], load: load(() => import('./sources/SourcePage.svelte')) },

  { name: 'people', path: '/people', group: 'access', icon: 'people', keys: 'g p', verbs: ['person:list'], load: load(() => import('./people/People.svelte')) },
  { name: 'person', path: '/people/:person', verbs: ['person:show'], load: load(() => import('./people/PersonPage.svelte')) },
  { name: 'tree', path: '/tree', group: 'estate', icon: 'tree', keys: 'g t', verbs: ['node:list'], load: load(() => import('./tree/Tree.svelte')) },
  { name: 'host', path: '/host/:name', verbs: ['log:search', 'alert:list'], load: load(() => import('./entity/Host.svelte')) },
  { name: 'user', path: '/user/:name', verbs: ['log:search', 'alert:list'], load: load(() => import('./entity/User.svelte')) },
  { name: 'address', path: '/address/:name', verbs: ['log:search', 'alert:list'], load: load(() => import('./entity/Address.svelte')) },

  { name: 'audit', path: '/audit', group: 'assure', icon: 'record', keys: 'g u', verbs: ['audit:list'], load: load(() => import('./audit/Audit.svelte')) },
  { name: 'record', path: '/audit/:seq', verbs: ['audit:show'], load: load(() => import('./audit/RecordPage.svelte')) },
  { name: 'reviews', path: '/reviews', group: 'assure', icon: 'review', keys: 'g r', verbs: ['review:list'], load: load(() => import('./audit/Reviews.svelte')) },
  { name: 'review', path: '/reviews/:review', verbs: ['review:show'], load: load(() => import('./audit/ReviewPage.svelte')) },

  { name: 'settings', path: '/settings', load: load(() => import('./settings/Settings.svelte')), keys: 'g ,' },
  { name: 'settings', path: '/settings/:part', load: load(() => import('./settings/Settings.svelte')) },
  { name: 'gallery', path: '/ui', development: true, load: load(() => import('./gallery/Gallery.svelte')) },
];
