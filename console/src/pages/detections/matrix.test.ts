import { expect, test } from 'vitest';

import { heat, matrix, STEPS } from './matrix';

const rule = (tactics: string[], techniques: string[], alerts = 0) => ({ tactics, techniques, alerts });
const column = (tactic: string, rules: ReturnType<typeof rule>[]) => matrix(rules).find((column) => column.tactic === tactic);

test('the columns are those of ATT&CK in their order', () => {
  const names = matrix([]).map(({ tactic }) => tactic);
  expect(names).toHaveLength(15);
  expect([names[0], names.at(-1)]).toEqual(['reconnaissance', 'impact']);
  expect(names).not.toContain('defense-evasion');
});

test('a tactic that went and one that is not known have columns while rules name them', () => {
  const names = matrix([rule(['defense-evasion', 'mischief'], ['T1070'])]).map(({ tactic }) => tactic);
  expect(names).toHaveLength(17);
  expect(names.at(-1)).toBe('mischief');
});

test('a technique stands only in those tactics of its rule that it is known for', () => {
  const rules = [rule(['persistence', 'credential-access'], ['T1110.001', 'T1136.001'], 3)];
  expect(column('credential-access', rules)?.cells).toEqual([{ tactic: 'credential-access', technique: 'T1110.001', rules: 1, alerts: 3 }]);
  expect(column('persistence', rules)?.cells).toEqual([{ tactic: 'persistence', technique: 'T1136.001', rules: 1, alerts: 3 }]);
});

test('what was known for defense evasion stands under what replaced it', () => {
  expect(column('stealth', [rule(['stealth'], ['T1070.003'])])?.cells).toHaveLength(1);
  expect(column('defense-impairment', [rule(['defense-impairment'], ['T1685.004'])])?.cells).toHaveLength(1);
});

test('rules and alerts add up; a rule counts once in each tactic', () => {
  const rules = [rule(['discovery'], ['T1046', 'T1033'], 2), rule(['discovery'], ['T1046'], 5), rule(['discovery'], [], 1)];
  expect(column('discovery', rules)).toEqual({
    tactic: 'discovery',
    rules: 3,
    alerts: 8,
    cells: [
      { tactic: 'discovery', technique: 'T1033', rules: 1, alerts: 2 },
      { tactic: 'discovery', technique: 'T1046', rules: 2, alerts: 7 },
    ],
  });
});

test('a technique that nobody knows stands in all tactics of its rule', () => {
  const rules = [rule(['impact', 'execution'], ['T9999'])];
  expect([column('impact', rules)?.cells.length, column('execution', rules)?.cells.length]).toEqual([1, 1]);
});

test('heat rises with the figure and ends at the hottest step', () => {
  const steps = [0, 1, 2, 10, 100, 1000].map((value) => heat(value, 1000));
  expect(steps[0]).toBe(0);
  expect(steps.at(-1)).toBe(STEPS.at(-1));
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(steps.every((step) => STEPS.includes(step))).toBe(true);
});
