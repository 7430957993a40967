// Tactics and techniques of MITRE ATT&CK for enterprises: facts, so that a rule's `attack.t1110.001` has a name. ATT&CK is
// a trademark of The MITRE Corporation; names and ids (version 19, April 2026, and those that it replaced) are used by its
// permission. The Chinese names are those in common use.

import { locale, t } from '$/i18n';

import known from './techniques.json';

interface Technique {
  en: string;
  zh: string;
  tactics: string[];
  /** Its sub-techniques by the three digits behind the point. */
  parts?: Record<string, string>;
}

const techniques: Partial<Record<string, Technique>> = known;

/** The columns of the matrix in their order. Where there was Defense Evasion, version 19 has the two after it. */
const ORDER = [
  'reconnaissance', 'resource-development', 'initial-access', 'execution', 'persistence', 'privilege-escalation',
  'defense-evasion', 'stealth', 'defense-impairment', 'credential-access', 'discovery', 'lateral-movement', 'collection',
  'command-and-control', 'exfiltration', 'impact',
] as const;

const EVASION: readonly string[] = ['defense-evasion', 'stealth', 'defense-impairment'];

/** The tactics of a matrix: those of today, one that went only while a rule names it, and what is not known at the end. */
export function tactics(named: ReadonlySet<string>): string[] {
  const columns = ORDER.filter((tactic) => tactic !== 'defense-evasion' || named.has(tactic));
  const unknown = [...named].filter((tactic) => !(ORDER as readonly string[]).includes(tactic)).sort();
  return [...columns, ...unknown];
}

/** The name of a tactic; its id where it is not known. */
export function tacticName(tactic: string): string {
  const name = ORDER.find((known) => known === tactic);
  return name ? t(`detections.tactic_${name.replaceAll('-', '_')}`) : tactic;
}

function parts(id: string): { technique: Technique | undefined; part: string | undefined } {
  const [parent = '', below] = id.toUpperCase().split('.');
  const technique = techniques[parent];
  return { technique, part: below === undefined ? undefined : technique?.parts?.[below] };
}

/** The name of a technique, or of the sub-technique alone; nothing where it is not known. */
export function techniqueName(id: string): string {
  const { technique, part } = parts(id);
  if (id.includes('.')) return part ?? '';
  return (locale() === 'zh-CN' ? technique?.zh : technique?.en) ?? '';
}

/** Id and name, with that of the technique above a sub-technique: `T1110.001 Brute Force: Password Guessing`. */
export function techniqueWords(id: string): string {
  const parent = techniqueName(id.split('.')[0] ?? id);
  const name = techniqueName(id);
  if (!name) return id;
  return id.includes('.') ? t('detections.part_of', { id, parent, name }) : t('detections.technique_named', { id, name });
}

/** In which of a rule's tactics one of its techniques stands: those that ATT&CK knows it for, else all of them. */
export function tacticsOf(id: string, named: readonly string[]): string[] {
  const known = parts(id).technique?.tactics ?? [];
  const fits = (tactic: string) =>
    known.includes(tactic) || (EVASION.includes(tactic) && known.some((other) => EVASION.includes(other)));
  const fitting = named.filter(fits);
  if (fitting.length > 0) return fitting;
  return named.length > 0 ? [...named] : known.map((tactic) => (tactic === 'defense-evasion' ? 'stealth' : tactic));
}
