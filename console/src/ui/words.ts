import { locale } from '$/i18n';

/** Several things in one line, in the way of the language. */
export function listed(parts: readonly string[]): string {
  return new Intl.ListFormat(locale(), { type: 'unit' }).format(parts);
}
