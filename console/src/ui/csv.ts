/** What a spreadsheet would take for a formula; such text comes from logs, and who opens a file asked for no formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** A cell of a CSV file (RFC 4180), which no spreadsheet computes. */
export function cell(text: string): string {
  const inert = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** A line of a CSV file with its end. */
export function line(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}
