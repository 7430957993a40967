/** The rows of a CSV file (RFC 4180), each by the names in the first one. */
export function readCsv(text) {
  const rows = [[]];
  let value = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted && char === '"' && text[at + 1] === '"') value += text[(at += 1)];
    else if (char === '"') quoted = !quoted;
    else if (quoted || (char !== ',' && char !== '\n' && char !== '\r')) value += char;
    else if (char === '\r') continue;
    else {
      rows.at(-1).push(value);
      value = '';
      if (char === '\n') rows.push([]);
    }
  }
  if (quoted) throw new Error('the CSV ends within quotes');
  const [names, ...rest] = rows.filter((row) => row.length > 0);
  return rest.map((row) => {
    if (row.length !== names.length) throw new Error(`a row of ${row.length} values under ${names.length} names: ${row}`);
    // What a spreadsheet would take for a formula has a mark in front.
    return Object.fromEntries(names.map((name, index) => [name, row[index].replace(/^'(?=[=+\-@\t\r])/, '')]));
  });
}
