// What of ATT&CK the rules look for: a column for each tactic, in it the techniques that rules name.

import type { RuleItem } from '$/api/schema';

import { tactics, tacticsOf } from './attack';

export interface Cell {
  tactic: string;
  technique: string;
  rules: number;
  alerts: number;
}

export interface TacticColumn {
  tactic: string;
  cells: Cell[];
  rules: number;
  alerts: number;
}

export type Measure = 'rules' | 'alerts';

type Named = Pick<RuleItem, 'tactics' | 'techniques' | 'alerts'>;

/** The matrix of these rules. A rule counts once in each cell that it names, and once in each tactic. */
export function matrix(rules: readonly Named[]): TacticColumn[] {
  const columns = new Map<string, TacticColumn>();
  const cells = new Map<string, Cell>();
  const column = (tactic: string) => found(columns, tactic, () => ({ tactic, cells: [], rules: 0, alerts: 0 }));
  for (const rule of rules) {
    const places = new Set(rule.tactics);
    for (const technique of new Set(rule.techniques)) {
      for (const tactic of tacticsOf(technique, rule.tactics)) {
        places.add(tactic);
        const cell = found(cells, `${tactic} ${technique}`, () => {
          const made = { tactic, technique, rules: 0, alerts: 0 };
          column(tactic).cells.push(made);
          return made;
        });
        add(cell, rule);
      }
    }
    for (const tactic of places) add(column(tactic), rule);
  }
  const order = tactics(new Set(columns.keys()));
  return order.map((tactic) => {
    const made = column(tactic);
    made.cells.sort((a, b) => a.technique.localeCompare(b.technique));
    return made;
  });
}

function add(to: { rules: number; alerts: number }, rule: Named) {
  to.rules += 1;
  to.alerts += rule.alerts;
}

function found<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

/** The steps of heat that carry text with enough contrast in both themes. The fifth of the tokens is left out: no text is
 * readable on it in the light theme. */
export const STEPS = [0, 1, 2, 3, 5, 6] as const;

/** How hot a figure is beside the highest. By its order of magnitude: one noisy rule would leave all others cold. */
export function heat(value: number, most: number): (typeof STEPS)[number] {
  if (value <= 0) return 0;
  if (most <= 1) return STEPS[3];
  const share = Math.log(value) / Math.log(most);
  return STEPS[1 + Math.round(share * (STEPS.length - 2))] ?? 6;
}
