// How a filter of alerts may go on: fields and states, and behind a field the values that there are.

import type { AlertSummary } from '$/api/schema';
import { quote } from '$/query/edit';
import { LEVELS } from '$/ui/levels';
import { size } from '$/ui/safe';

import { REASONS } from './filters';

const FIELDS = [
  'title', 'rule', 'level', 'state', 'entity', 'entity_kind', 'host', 'user', 'ip', 'node', 'assignee', 'count', 'first_seen',
  'last_seen', 'reason',
];
const STATES = ['open', 'acknowledged', 'closed'];
const IS = [...STATES, 'unassigned', 'mine'];
const KINDS = ['host', 'user', 'ip', 'source', 'review'];
const WORDS = ['and', 'or', 'not'];
const OPERATOR = /(?:^|[\s(!-])([a-z_]+)\s*(?:!=|:|=)\s*(?:\((?:[^()]*[\s,])?)?("?[^\s"()]*)$/i;

/** What may stand at the end of a text, each in the place of all behind `from`, which counts bytes as the server does. */
export function complete(text: string, top: AlertSummary['top'] | undefined): { from: number; items: string[] } {
  const field = OPERATOR.exec(text);
  if (field) {
    const [, name = '', typed = ''] = field;
    const items = values(name.toLowerCase(), top).map(quote);
    return { from: size(text.slice(0, text.length - typed.length)), items: beginning(items, typed) };
  }
  const typed = /[a-z_:]*$/i.exec(text)?.[0] ?? '';
  const all = [...FIELDS.map((name) => `${name}:`), ...IS.map((name) => `is:${name}`), ...(text.trim() === typed ? [] : WORDS)];
  return { from: size(text.slice(0, text.length - typed.length)), items: beginning(all, typed) };
}

function beginning(items: readonly string[], typed: string): string[] {
  const wanted = typed.toLowerCase().replace(/^"/, '');
  return items.filter((item) => item.toLowerCase().replace(/^"/, '').startsWith(wanted) && item !== typed).slice(0, 20);
}

function values(field: string, top: AlertSummary['top'] | undefined): readonly string[] {
  switch (field) {
    case 'is':
      return IS;
    case 'level':
      return LEVELS.toReversed();
    case 'state':
      return STATES;
    case 'reason':
      return REASONS;
    case 'entity_kind':
      return KINDS;
    case 'rule':
      return top?.rule.map(({ value }) => value) ?? [];
    case 'title':
      return top?.rule.map(({ label }) => label) ?? [];
    case 'node':
      return top?.node.map(({ label }) => label) ?? [];
    case 'entity':
    case 'host':
    case 'user':
    case 'ip':
      return top?.entity.map(({ value }) => value) ?? [];
    default:
      return [];
  }
}
