// The types of the API, from its document.

import { writeFileSync } from 'node:fs';

import openapiTS, { astToString } from 'openapi-typescript';

const document = new URL('../../openapi.json', import.meta.url);
const types = await openapiTS(document, { alphabetize: true, rootTypes: true, rootTypesNoSchemaPrefix: true });
// A type of the document would hide TypeScript's own, which the file uses.
const own = new Set(['Record']);
const text = astToString(types).replaceAll(/^export type (\w+) = components/gm, (line, name) => (own.has(name) ? line.replace(name, `Audit${name}`) : line));
writeFileSync(new URL('../src/api/schema.ts', import.meta.url), text);
