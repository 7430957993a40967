// Rules: what is asked of them, and what their figures say.

import { api, data } from '$/api/client';
import type { RuleDetail, RuleItem, RuleSource } from '$/api/schema';
import { number } from '$/i18n';
import { every, type Part } from '$/state/paged.svelte';

export interface RuleFilters {
  text: string;
  /** At least this severe. */
  level: string;
  technique: string;
}

/** As many as one answer brings. */
const PART = 500;

/** A part of the rules that fit. */
export function ruleParts(filters: RuleFilters) {
  const query = {
    limit: PART,
    text: filters.text || undefined,
    level: filters.level || undefined,
    technique: filters.technique || undefined,
  };
  return {
    key: JSON.stringify(query),
    run: (cursor: string | undefined, signal: AbortSignal): Promise<Part<RuleItem>> =>
      data(api.GET('/api/v1/rule', { params: { query: { ...query, cursor } }, signal })),
  };
}

/** All rules that fit. */
export async function everyRule(filters: RuleFilters, signal: AbortSignal): Promise<RuleItem[]> {
  const rules: RuleItem[] = [];
  const { run } = ruleParts(filters);
  await every((cursor) => run(cursor, signal), (some) => rules.push(...some), signal);
  return rules;
}

type Figures = Pick<RuleItem, 'alerts' | 'open' | 'false_positives'>;

/** The share of its closed alerts that were false positives; nothing where none is closed. */
export function noise({ alerts, open, false_positives }: Figures): number | undefined {
  const closed = alerts - open;
  return closed > 0 ? false_positives / closed : undefined;
}

/** The noise in words: `12%`, or a dash. */
export function noiseWords(rule: Figures): string {
  const share = noise(rule);
  return share === undefined ? '–' : number(share, { style: 'percent', maximumFractionDigits: 0 });
}

/** The log source as rules write it: `linux / auditd`. */
export function logSource({ product, service, category }: RuleSource): string {
  return [product, category, service].filter(Boolean).join(' / ');
}

/** The log source that an event was taken for, with all its names; the empty text where it is none that is known. */
export function routedTo(source: unknown): string {
  const { product, services, categories } = (source ?? {}) as { product?: string; services?: string[]; categories?: string[] };
  return [product, ...(categories ?? []), ...(services ?? [])].filter(Boolean).join(' / ');
}

/** Alerts of a rule, in the language of filters. */
export function alertsOf(rule: Pick<RuleDetail, 'id'>): string {
  return `rule:"${rule.id.replace(/["\\]/g, '\\$&')}"`;
}
