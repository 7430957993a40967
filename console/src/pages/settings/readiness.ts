import { asProblem, problemOf } from '$/api/problem';

/** What the server says of itself to everybody. */
export interface Readiness {
  ready: boolean;
  version: string;
  since: string;
  database: string;
}

/** Asks whether the server can work. That it cannot is an answer, too. */
export async function readiness(signal: AbortSignal): Promise<Readiness> {
  let response: Response;
  try {
    response = await fetch('/readyz', { signal });
  } catch (error) {
    throw signal.aborted ? error : asProblem(error);
  }
  if (!response.ok && response.status !== 503) throw await problemOf(response);
  return (await response.json()) as Readiness;
}
