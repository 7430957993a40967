// Names of accounts by their ids, asked for once.

import { api, data } from '$/api/client';
import { asProblem, Problem } from '$/api/problem';
import type { Person } from '$/api/schema';
import { t } from '$/i18n';

const names = new Map<string, Promise<string>>();

/** The name of a person; the id where there is none to be had. */
export function nameOf(id: string): Promise<string> {
  let name = names.get(id);
  if (!name) {
    name = data(api.GET('/api/v1/person/{person}', { params: { path: { person: id } } })).then(
      (person) => person.name,
      () => id,
    );
    names.set(id, name);
  }
  return name;
}

/** The person that a name or an id names. Where there is none, the field of the form says so. */
export async function personAt(name: string, field: string): Promise<Person> {
  try {
    return await data(api.GET('/api/v1/person/{person}', { params: { path: { person: name } } }));
  } catch (error) {
    const problem = asProblem(error);
    if (problem.status !== 404) throw problem;
    const { kind, status, title, advice, request } = problem;
    throw new Problem(kind, status, title, `${field}: ${t('people.no_such_person')}`, advice, request);
  }
}
