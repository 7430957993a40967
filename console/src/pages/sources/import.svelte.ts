// Sending a file to a source, piece by piece. What was answered is on the disk; what fails is kept, to go on with it.

import { toLogin } from '$/api/client';
import { asProblem, Problem, problemOf } from '$/api/problem';
import { t } from '$/i18n';

import { pieces, Unsendable } from './pieces';

/** How often it is tried again by itself where the server asks to wait. */
const TRIES = 10;

interface Taken {
  accepted: number;
  refused: number;
}

export class Import {
  state = $state<'idle' | 'sending' | 'failed' | 'done'>('idle');
  file = $state.raw<File>();
  /** Bytes of the file that are on the server's disk. */
  sent = $state(0);
  accepted = $state(0);
  refused = $state(0);
  problem = $state.raw<Problem>();
  /** The piece that failed can be sent again. */
  canGoOn = $state(false);
  private read = 0;
  private rest: AsyncGenerator<Uint8Array<ArrayBuffer>> | undefined;
  private piece: Uint8Array<ArrayBuffer> | undefined;
  private stop = new AbortController();

  /** Sends a file from its beginning. */
  start(file: File, source: string) {
    this.cancel();
    this.file = file;
    this.sent = this.read = this.accepted = this.refused = 0;
    this.problem = undefined;
    this.rest = pieces(this.bytes(file));
    void this.run(source);
  }

  /** Goes on with the piece that failed. */
  goOn(source: string) {
    if (this.state === 'failed' && this.canGoOn) void this.run(source);
  }

  cancel = () => {
    this.stop.abort();
    void this.rest?.return(undefined);
    this.piece = this.rest = undefined;
    this.state = 'idle';
  };

  private async run(source: string) {
    const { signal } = (this.stop = new AbortController());
    this.state = 'sending';
    this.problem = undefined;
    try {
      for (;;) {
        this.piece ??= await this.next();
        if (signal.aborted) return;
        if (!this.piece) break;
        const taken = await patiently(source, this.piece, signal);
        if (signal.aborted) return;
        this.accepted += taken.accepted;
        this.refused += taken.refused;
        this.sent = this.read;
        this.piece = undefined;
      }
      this.state = 'done';
    } catch (error) {
      if (signal.aborted) return;
      this.problem = told(error);
      // A file that cannot be read has no next piece.
      this.canGoOn = this.piece !== undefined;
      this.state = 'failed';
    }
  }

  private async next() {
    const next = await this.rest?.next();
    return next?.done ? undefined : next?.value;
  }

  /** What is in the file: unpacked where it is packed. */
  private async *bytes(file: File): AsyncGenerator<Uint8Array> {
    const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (bytes, out) => {
        this.read += bytes.length;
        out.enqueue(bytes);
      },
    });
    const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
    const packed = head[0] === 0x1f && head[1] === 0x8b;
    const stream = file.stream().pipeThrough(counted);
    const reader = (packed ? stream.pipeThrough(new DecompressionStream('gzip')) : stream).getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } finally {
      // Whoever stops in the middle reads no further.
      void reader.cancel().catch(() => undefined);
    }
  }
}

/** Sends a piece; waits as long as the server asks to. */
async function patiently(source: string, piece: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Taken> {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(`/api/v1/intake/${encodeURIComponent(source)}`, {
      method: 'POST', body: piece, signal, headers: { 'content-type': 'text/plain' },
    });
    if (response.ok) return (await response.json()) as Taken;
    if (response.status === 401) toLogin();
    // Of a request that came too fast nothing was kept.
    if (response.status !== 429 || tries >= TRIES) throw await problemOf(response);
    const seconds = Number(response.headers.get('retry-after') ?? 1);
    await new Promise((go) => setTimeout(go, Math.min(30, seconds || 1) * 1000));
    signal.throwIfAborted();
  }
}

function told(error: unknown): Problem {
  if (!(error instanceof Unsendable)) return asProblem(error);
  return new Problem('log/events', 0, t(`sources.unsendable_${error.why}`), '', t('sources.unsendable_advice'), '');
}
