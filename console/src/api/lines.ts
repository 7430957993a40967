import { unattended } from '$/state/attention';

import { toLogin } from './client';
import { asProblem, problemIn, problemOf } from './problem';

/** How an answer that comes line by line ended. */
export interface End {
  rows: number;
  complete: boolean;
  detail?: string;
}

export type LogRow = Record<string, string | number | boolean | null>;

/**
 * Asks by POST for an answer of JSON lines. `onRows` gets rows as they come, many at a time; the promise tells how it
 * ended. `signal` ends it early.
 */
export async function lines(
  path: string,
  body: unknown,
  onRows: (rows: LogRow[]) => void,
  signal?: AbortSignal,
): Promise<End> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...unattended() },
      body: JSON.stringify(body),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw asProblem(error);
  }
  if (response.status === 401) toLogin();
  if (!response.ok) throw await problemOf(response);
  return read(response, onRows);
}

async function read(response: Response, onRows: (rows: LogRow[]) => void): Promise<End> {
  const stream = response.body?.pipeThrough(new TextDecoderStream());
  const reader = stream?.getReader();
  let end: End = { rows: 0, complete: false };
  let rest = '';
  for (;;) {
    const piece = await reader?.read();
    if (!piece || piece.done) break;
    const parts = (rest + piece.value).split('\n');
    rest = parts.pop() ?? '';
    const rows: LogRow[] = [];
    for (const line of parts) {
      if (!line) continue;
      const row = JSON.parse(line) as LogRow & { _end?: End & { problem?: unknown } };
      if (!row._end) rows.push(row);
      else if (row._end.problem) throw problemIn(row._end.problem, 0, response.headers.get('x-request-id') ?? '');
      else end = row._end;
    }
    if (rows.length > 0) onRows(rows);
  }
  return end;
}
