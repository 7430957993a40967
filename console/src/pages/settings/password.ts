import { toLogin } from '$/api/client';
import { asProblem, Problem, problemOf } from '$/api/problem';
import type { NewPassword } from '$/api/schema';
import { t } from '$/i18n';

/**
 * Changes one's own password. Not by `api`: there, an answer that somebody is not who they say leads to the login, and here
 * it tells that the password of now was wrong. What concerns a field of the form names it.
 */
export async function changePassword(body: NewPassword): Promise<void> {
  let response: Response;
  try {
    response = await fetch('/api/v1/password/change', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  } catch (error) {
    throw asProblem(error);
  }
  if (response.ok) return;
  const problem = await problemOf(response);
  if (problem.kind === 'login/wrong') throw beside('current', problem, t('settings.password_wrong'));
  if (problem.kind === 'password/weak') throw beside('new', problem, [problem.words, problem.advice].filter(Boolean).join('. '));
  if (problem.status === 401) toLogin();
  throw problem;
}

/** The same problem, told of a field. */
function beside(field: string, { kind, status, title, advice, request }: Problem, words: string): Problem {
  return new Problem(kind, status, title, `${field}: ${words}`, advice, request);
}
