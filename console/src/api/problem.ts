import { has, t } from '$/i18n';

/** What went wrong, as the server says it (RFC 9457), or as the way to it failed. */
export class Problem extends Error {
  constructor(
    /** The registered kind, such as `grant/expired`; `network` where no answer came. */
    readonly kind: string,
    /** The status of the answer; 0 where none came. */
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly advice: string,
    /** The id by which the server's log knows the request. */
    readonly request: string,
  ) {
    super(detail || title);
    this.name = 'Problem';
  }

  /** The title in the language of the page, where it has one. */
  get words(): string {
    const key = `problem.${this.kind.replaceAll(/[/-]/g, '_')}`;
    return has(key) ? t(key) : this.title;
  }

  get isDenied(): boolean {
    return this.status === 403;
  }
}

/** The problem in an answer that is none of the good ones. */
export async function problemOf(response: Response): Promise<Problem> {
  const request = response.headers.get('x-request-id') ?? '';
  const body: unknown = await response.json().catch(() => null);
  return problemIn(body, response.status, request);
}

/** The problem that a body tells of. */
export function problemIn(body: unknown, status: number, request = ''): Problem {
  const told = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof told[name] === 'string' ? told[name] : '');
  const kind = text('type') || `status/${status}`;
  return new Problem(kind, status || Number(told.status ?? 0), text('title') || kind, text('detail'), text('advice'), request);
}

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new Problem('network', 0, t('problem.network'), words, t('problem.network_advice'), '');
}
