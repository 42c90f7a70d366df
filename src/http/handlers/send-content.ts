import type { BlobFacts } from '../../catalog/catalog.ts';
import type { Scope } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import { type RestoreDeps, refuseKnownDamage, restore, tryRestore } from '../../download/restore.ts';
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
 * Sends ranges of a blob. A small one that is in memory goes out at once; everything else is streamed, verified block by
 * block. The first block is read before the head is sent, so that damage found there is a clean 500, as is damage found
 * earlier; damage found on the way cuts the connection, and the answer never looks complete.
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
  if (answer.parts.length === 1 && answer.size <= limits.httpInlineReplyMax && only !== undefined && 'start' in only) {
    const run = tryRestore(scope, blob, only.start, only.end, deps.restore);
    if (run !== undefined) {
      try {
        exchange.reply(answer.status, answer.headers, run.bytes);
      } finally {
        run.release();
      }
      return;
    }
  }
  return streamContent(exchange, scope, blob, answer, deps);
}

async function streamContent(
  exchange: Exchange,
  scope: Scope,
  blob: BlobFacts,
  answer: ContentAnswer,
  deps: SendDeps,
): Promise<void> {
  const endWatch = watchForStall(exchange, deps.downloadStallMs);
  let started = false;
  const start = () => {
    if (!started) exchange.start(answer.status, answer.headers, answer.size);
    started = true;
  };
  try {
    for (const part of answer.parts) if ('start' in part) await refuseKnownDamage(scope, blob, part, deps.restore);
    for (const part of answer.parts) {
      if ('text' in part) {
        start();
        await exchange.write(Buffer.from(part.text));
        continue;
      }
      for await (const run of restore(scope, blob, part, deps.restore)) {
        try {
          start();
          const sent = exchange.write(run.bytes);
          if (sent !== true) await sent;
        } finally {
          run.release();
        }
      }
    }
  } finally {
    endWatch();
  }
}

/** Cuts a client that takes nothing for too long: it holds memory others wait for. */
function watchForStall(exchange: Exchange, stallMs: number): () => void {
  let seen = exchange.sent.bytes;
  const timer = setInterval(() => {
    if (exchange.sent.bytes === seen) exchange.destroy();
    seen = exchange.sent.bytes;
  }, stallMs);
  timer.unref();
  return () => clearInterval(timer);
}
