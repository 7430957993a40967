import { describe, expect, it } from 'vitest';

import { KINDS, snippet, syslogAt, tokenSnippet, type Target } from './snippets';

const target: Target = { source: 'web', path: 'acme/shop', server: 'https://garrison.example:8443' };

describe('what is copied to a sender', () => {
  it('names the server and the source', () => {
    expect(snippet('curl', target)).toBe(
      'curl --cacert ca.pem -H "Authorization: Bearer $(cat token)" \\\n     --data-binary @access.log https://garrison.example:8443/api/v1/intake/web',
    );
    expect(snippet('otlp', target)).toContain('https://garrison.example:8443/v1/logs?source=web');
    expect(snippet('logger', { ...target, syslog: { host: '10.0.0.1', port: 6514 } })).toContain('--server 10.0.0.1 --port 6514');
    expect(tokenSnippet({ ...target, path: "ac me/it's" })).toContain(`--node 'ac me/it'\\''s' `);
  });

  it('asks for no certificate where there is no TLS', () => {
    for (const kind of KINDS) expect(snippet(kind, { ...target, server: 'http://127.0.0.1:8480' })).not.toContain('ca.pem');
  });

  it('knows where syslog is taken', () => {
    expect(syslogAt('0.0.0.0:5514', target.server)).toEqual({ host: 'garrison.example', port: 5514 });
    expect(syslogAt('"127.0.0.1:514"', target.server)).toEqual({ host: '127.0.0.1', port: 514 });
    expect(syslogAt('[::1]:514', target.server)).toEqual({ host: '::1', port: 514 });
    expect(syslogAt('', target.server)).toBeUndefined();
  });
});
