// The words on the screen. They stand in `messages/<locale>/<area>.json` in the ICU message syntax; a key is the name of
// the file and the name within it: `alerts.close`. Changing the language loads the page again, so that nothing is left over.

import { IntlMessageFormat } from 'intl-messageformat';

export const LOCALES = ['en', 'zh-CN'] as const;
export type Locale = (typeof LOCALES)[number];

type Values = Record<string, string | number | boolean | Date | null | undefined>;
type Messages = Record<string, string>;

const languages = {
  en: () => import('../messages/en'),
  'zh-CN': () => import('../messages/zh-CN'),
};

let current: Locale = 'en';
let words: Record<string, string> = {};
const formats = new Map<string, IntlMessageFormat>();

/** The language that was chosen, or the browser's, or English. */
export function preferred(): Locale {
  const chosen = /(?:^|; )lang=([^;]+)/.exec(document.cookie)?.[1];
  const wanted = [chosen, ...navigator.languages].filter((tag) => tag !== undefined);
  for (const tag of wanted) {
    if (tag === 'zh-CN' || /^zh(-Hans)?(-|$)/i.test(tag)) return 'zh-CN';
    if (/^en(-|$)/i.test(tag)) return 'en';
  }
  return 'en';
}

/** Loads the words of a language; before anything is shown. */
export async function load(locale: Locale) {
  const areas: Record<string, Messages> = (await languages[locale]()).default;
  const loaded = Object.entries(areas).map(([file, messages]) => {
    const area = /([^/]+)\.json$/.exec(file)?.[1] ?? '';
    return Object.entries(messages).map(([key, text]) => [`${area}.${key}`, text] as const);
  });
  words = Object.fromEntries(loaded.flat());
  formats.clear();
  current = locale;
  document.documentElement.lang = locale;
}

/** Remembers a language and loads the page again in it. */
export function choose(locale: Locale) {
  document.cookie = `lang=${locale}; Path=/; Max-Age=31536000; SameSite=Strict; Secure`;
  window.location.reload();
}

export function locale(): Locale {
  return current;
}

/** The words of a key. A key that does not exist shows itself, so that it is seen. */
export function t(key: string, values?: Values): string {
  const text = words[key];
  if (text === undefined) return key;
  if (!values && !text.includes('{') && !text.includes("'")) return text;
  let format = formats.get(key);
  if (!format) {
    format = new IntlMessageFormat(text, current, undefined, { ignoreTag: true });
    formats.set(key, format);
  }
  return String(format.format(values));
}

/** Whether a key exists: for words that the server chooses, such as the kind of a problem. */
export function has(key: string): boolean {
  return key in words;
}

const numbers = new Map<string, Intl.NumberFormat>();

/** A number in the language's form; `compact` for figures such as 12K. */
export function number(value: number, options: Intl.NumberFormatOptions = {}): string {
  const key = `${current}${JSON.stringify(options)}`;
  let format = numbers.get(key);
  if (!format) numbers.set(key, (format = new Intl.NumberFormat(current, options)));
  return format.format(value);
}

/** A number of bytes, with a unit of 1024. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const step = value > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(value) / 10)) : 0;
  const shown = value / 2 ** (10 * step);
  return `${number(shown, { maximumFractionDigits: shown < 10 && step > 0 ? 1 : 0 })} ${units[step]}`;
}
