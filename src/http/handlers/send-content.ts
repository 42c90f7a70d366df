import type { BlobFacts } from '../../catalog/catalog.ts';
import { QuasarError } from '../../core/errors.ts';
import type { Scope } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import {
  type RestoreDeps,
  type RestoreOptions,
  type Run,
  refuseKnownDamage,
  restore,
  tryRead,
  tryRestore,
} from '../../download/restore.ts';
import type { Exchange } from '../edge.ts';

/** One piece of an answer's body: a range of the blob, or text between ranges. */
export type BodyPart = { readonly start: number; readonly end: number } | { readonly text: string };

export interface ContentAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly parts: readonly BodyPart[];
  /** Bytes of all parts together. */
  readonly size: number;
}

export interface SendDeps {
  readonly restore: RestoreDeps;
  readonly downloadStallMs: number;
}

/**
 * Sends ranges of a blob. One out of one block goes out in one piece when it is in memory, is small, or is most of the
 * block; everything else is streamed, verified block by block. The first bytes are read before the head is sent, so that
 * damage found there is a clean 500, as is damage found earlier; damage found on the way cuts the connection, and the
 * answer never looks complete.
 */
export function sendContent(
  exchange: Exchange,
  scope: Scope,
  blob: BlobFacts,
  answer: ContentAnswer,
  deps: SendDeps,
): void | Promise<void> {
  if (exchange.method === 'HEAD' || answer.size === 0) {
    exchange.start(answer.status, answer.headers, answer.size);
    return;
  }
  const [only] = answer.parts;
  if (answer.parts.length === 1 && only !== undefined && 'start' in only) {
    const run = tryRestore(scope, blob, only.start, only.end, deps.restore);
    if (run !== undefined) return sendRun(exchange, answer, run, deps);
    if (answer.size <= limits.httpInlineReplyMax || isMostOfAnyBlock(answer, blob)) {
      const reading = tryRead(scope, blob, only, new WaitingReader(deps.restore, exchange));
      if (reading !== undefined) return reading.then((read) => sendRun(exchange, answer, read, deps));
    }
  }
  return streamContent(exchange, scope, blob, answer, deps);
}

/**
 * Whether a block of the blob, if it holds all of this, holds not as much again: it is read whole then, into the cache's
 * memory, which a slow client may keep. Buffers for parts of blocks are fewer.
 */
function isMostOfAnyBlock(answer: ContentAnswer, blob: BlobFacts): boolean {
  return 2 * answer.size > Math.min(blob.size, limits.blockSizeMax);
}

/** The whole answer out of one run. A small one is copied by the socket if need be; others are lent to it. */
function sendRun(exchange: Exchange, answer: ContentAnswer, run: Run, deps: SendDeps): void | Promise<void> {
  if (answer.size > limits.httpInlineReplyMax) return lendRun(exchange, answer, run, deps);
  try {
    exchange.reply(answer.status, answer.headers, run.bytes);
  } finally {
    run.release();
  }
}

function lendRun(exchange: Exchange, answer: ContentAnswer, run: Run, { downloadStallMs }: SendDeps): void | Promise<void> {
  const sender = new Sender(exchange, answer, downloadStallMs);
  const over = () => {
    sender.close();
    run.release();
  };
  let sent: true | Promise<true>;
  try {
    sent = sender.send(run.bytes);
  } catch (error) {
    over();
    throw error;
  }
  if (sent !== true) return sent.then(() => undefined).finally(over);
  over();
}

async function streamContent(
  exchange: Exchange,
  scope: Scope,
  blob: BlobFacts,
  answer: ContentAnswer,
  deps: SendDeps,
): Promise<void> {
  const sender = new Sender(exchange, answer, deps.downloadStallMs);
  const restoring = { ...deps.restore, signal: signalOfGone(exchange) };
  try {
    const ranges = answer.parts.flatMap((part) => ('start' in part ? [part] : []));
    await refuseKnownDamage(scope, blob, ranges, deps.restore);
    for (const part of answer.parts) {
      if ('text' in part) {
        await sender.send(Buffer.from(part.text));
        continue;
      }
      for await (const run of restore(scope, blob, part, restoring)) {
        try {
          const sent = sender.send(run.bytes);
          if (sent !== true) await sent;
        } finally {
          run.release();
        }
      }
    }
  } finally {
    sender.close();
  }
}

/** Most small reads wait for nothing that ends with the client, and a signal costs as much as the rest of their handling. */
class WaitingReader implements RestoreOptions {
  readonly cache: RestoreDeps['cache'];
  readonly stretches: RestoreDeps['stretches'];
  readonly map: RestoreDeps['map'];
  readonly #exchange: Exchange;

  constructor({ cache, stretches, map }: RestoreDeps, exchange: Exchange) {
    this.cache = cache;
    this.stretches = stretches;
    this.map = map;
    this.#exchange = exchange;
  }

  get signal(): AbortSignal {
    return signalOfGone(this.#exchange);
  }
}

/** A client that has gone waits for no slot. */
function signalOfGone(exchange: Exchange): AbortSignal {
  const gone = new AbortController();
  if (exchange.gone) gone.abort(new QuasarError('cancelled', { op: 'download.content' }));
  exchange.onGone(() => gone.abort(new QuasarError('cancelled', { op: 'download.content' })));
  return gone.signal;
}

/** Sends the head with the first bytes, and cuts a client that takes nothing for too long: it holds memory others wait for. */
class Sender {
  readonly #exchange: Exchange;
  readonly #answer: ContentAnswer;
  readonly #stallMs: number;
  /** From the first wait on: most answers have none. */
  #timer: NodeJS.Timeout | undefined;
  #started = false;
  /** Only while bytes of ours wait for the client; the time we wait for a disk or a slot is not its fault. */
  #waiting = false;
  #seen = -1;

  constructor(exchange: Exchange, answer: ContentAnswer, stallMs: number) {
    this.#exchange = exchange;
    this.#answer = answer;
    this.#stallMs = stallMs;
  }

  send(bytes: Uint8Array): true | Promise<true> {
    const { status, headers, size } = this.#answer;
    if (!this.#started) this.#exchange.start(status, headers, size);
    this.#started = true;
    const sent = this.#exchange.write(bytes);
    if (sent === true) return true;
    this.#waiting = true;
    this.#timer ??= setInterval(() => this.#judge(), this.#stallMs).unref();
    return sent.finally(() => {
      this.#waiting = false;
      this.#seen = -1;
    });
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #judge(): void {
    if (!this.#waiting) return;
    const { bytes } = this.#exchange.sent;
    if (bytes === this.#seen) {
      this.#exchange.fail(
        new QuasarError('cancelled', { op: 'download.send', message: 'The client took nothing for too long.' }),
      );
    }
    this.#seen = bytes;
  }
}
