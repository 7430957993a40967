// The words of the console, as its message files have them: a journey names a button by what it means, and finds it in every
// language. A key that no longer exists ends the journey.

import { readFileSync, readdirSync } from 'node:fs';

import { IntlMessageFormat } from 'intl-messageformat';

const FOLDER = new URL('../src/messages/', import.meta.url);

/** The words of a language, by key. */
export function words(locale) {
  const texts = new Map();
  for (const file of readdirSync(new URL(`${locale}/`, FOLDER))) {
    const area = file.replace(/\.json$/, '');
    const messages = JSON.parse(readFileSync(new URL(`${locale}/${file}`, FOLDER), 'utf8'));
    for (const [key, text] of Object.entries(messages)) texts.set(`${area}.${key}`, text);
  }
  return (key, values) => {
    const text = texts.get(key);
    if (text === undefined) throw new Error(`there is no message ${key}`);
    return String(new IntlMessageFormat(text, locale, undefined, { ignoreTag: true }).format(values));
  };
}

export const en = words('en');
export const zh = words('zh-CN');

/** Words with blanks, as a pattern for what stands there with anything in the blanks: `{count} rows`. */
export function pattern(t, key, blanks) {
  const marks = Object.fromEntries(blanks.map((name, index) => [name, `\u0001${index}`]));
  const text = t(key, marks).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${text.replace(/\u0001\d/g, '.+')}$`);
}
