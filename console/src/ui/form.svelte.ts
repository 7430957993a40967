import { asProblem, type Problem } from '$/api/problem';

export interface FieldErrors {
  /** What belongs to no field of the form. */
  form: string;
  fields: Record<string, string>;
}

/** `name: words`, `addresses[2].cidr: words`. */
const NAMED = /^(?<name>[a-z][a-z0-9_]*)(?:[.[][^:]*)?: (?<words>.+)$/s;
const MISSING = /^(?<words>missing field `(?<name>[a-z0-9_]+)`)$/;

/**
 * Puts what the server refused beside the field that it names: `the body: name: must not be empty`. `names` are the
 * fields of the form; what names none of them stands above the form.
 */
export function fieldErrors(problem: Problem | undefined, names?: readonly string[]): FieldErrors {
  if (!problem) return { form: '', fields: {} };
  // Where it stands in the text that was sent says nothing to who filled in a form.
  const detail = problem.detail.replace(/^the body: /, '').replace(/ at line \d+ column \d+$/, '');
  const found = MISSING.exec(detail) ?? NAMED.exec(detail);
  const { name = '', words = '' } = found?.groups ?? {};
  if (name && (!names || names.includes(name))) return { form: '', fields: { [name]: words } };
  // That something exists already is about its name.
  if (problem.kind === 'object/exists' && names?.includes('name')) return { form: '', fields: { name: detail || problem.words } };
  return { form: detail || problem.words, fields: {} };
}

/** A form that is being filled in: whether it is under way, and what the server said to it. */
export class Form {
  busy = $state(false);
  problem = $state.raw<Problem>();
  private readonly told: FieldErrors;

  constructor(names?: readonly string[]) {
    this.told = $derived(fieldErrors(this.problem, names));
  }

  /** What belongs to no field. */
  get error(): string {
    return this.told.form;
  }

  get errors(): Record<string, string> {
    return this.told.fields;
  }

  /** Sends; what is refused is shown. Tells whether it was taken. A second click while it is under way does nothing. */
  async send(run: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = undefined;
    try {
      await run();
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
