const OPEN = /(?:^|[\s(!-])([A-Za-z_][\w.@-]*)\s*(?:!=|:|=)\s*(?:\((?:[^()]*[\s,])?)?$/;

/** The field whose value is being written at the end of a text, also within a list of values. */
export function fieldBefore(head: string): string | undefined {
  return OPEN.exec(head)?.[1]?.toLowerCase();
}
