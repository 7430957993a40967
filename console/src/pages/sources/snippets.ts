// How each kind of sender is told where to send: ready to be copied.

export interface Target {
  source: string;
  /** The path of its node. */
  path: string;
  /** `https://garrison.example:8443`. */
  server: string;
  /** Where syslog is taken; absent where it is taken nowhere, or that is not known. */
  syslog?: { host: string; port: number };
}

export const KINDS = ['logger', 'rsyslog', 'otlp', 'curl'] as const;
export type Kind = (typeof KINDS)[number];

/** The port where syslog is expected where nothing is known of it. */
const SYSLOG_PORT = 5514;

/** A text as one word of a shell. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function snippet(kind: Kind, target: Target): string {
  const { server, source } = target;
  const host = target.syslog?.host ?? new URL(server).hostname;
  const port = target.syslog?.port ?? SYSLOG_PORT;
  const isTls = server.startsWith('https:');
  switch (kind) {
    case 'logger':
      return `logger --server ${word(host)} --port ${port} --tcp --rfc5424 -t ${word(source)} "hello"`;
    case 'rsyslog':
      return `action(type="omfwd" target="${host}" port="${port}" protocol="tcp"\n       TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")`;
    case 'otlp':
      return [
        'exporters:',
        '  otlphttp:',
        `    logs_endpoint: ${server}/v1/logs?source=${source}`,
        '    headers:',
        '      Authorization: Bearer ${env:GARRISON_TOKEN}',
        ...(isTls ? ['    tls:', '      ca_file: ca.pem'] : []),
      ].join('\n');
    case 'curl':
      return `curl ${isTls ? '--cacert ca.pem ' : ''}-H "Authorization: Bearer $(cat token)" \\\n     --data-binary @access.log ${word(`${server}/api/v1/intake/${source}`)}`;
  }
}

/** Makes a token that may send to the source, and nothing else. */
export function tokenSnippet({ path, source }: Target): string {
  return `garrison token create --name ${word(source)} --for shipper --verb log:send --node ${word(path)} --days 365 > token`;
}

/** Where syslog is taken, as the configuration says: `0.0.0.0:5514` is every address of the server. */
export function syslogAt(listen: string | undefined, server: string): Target['syslog'] {
  const [, host = '', port] = /^"?(.*):(\d+)"?$/.exec(listen ?? '') ?? [];
  if (!port) return undefined;
  const anywhere = host === '' || host === '0.0.0.0' || host === '[::]';
  return { host: anywhere ? new URL(server).hostname : host.replace(/^\[|\]$/g, ''), port: Number(port) };
}
