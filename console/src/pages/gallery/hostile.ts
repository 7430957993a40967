// Texts as an attacker would write them into a log, for looking at what the blocks make of them.

export const HOSTILE: readonly string[] = [
  '<img src=x onerror=alert(1)><script>alert(2)</script>',
  '\u001B[2J\u001B[31mred\u001B[0m\u0007 \u009Bterminal codes',
  'invoice\u202Efdp.exe',
  'a\u200Bd\u200Dmin and \u2066isolated\u2069, \uFEFFmarked\u00AD',
  '\u05D0\u05D1\u05D2 שלום 10.0.0.1 → 192.168.1.7 مرحبا',
  'ends in half a character \uD83D',
  'Z\u0351\u036B\u0343\u036A\u0302a\u0321\u034A\u0301lgo',
  '名字很长的主机'.repeat(12),
  'x'.repeat(400),
];

/** A line of a million characters. */
export const LONG: string = '0123456789abcdef '.repeat(61_681);

/** JSON with a number that no JavaScript number holds, and a mark that turns text around. */
export const JSON_TEXT =
  '{"time":"2026-01-31T14:03:07Z","user":"root","id":12345678901234567890,"tags":[],"src":{"ip":"10.0.0.7","ports":[22,2222]},"ok":false,"note":"\u202Eturned"}';
