import { QuasarError } from '../core/errors.ts';
import { evaluateConditions } from './conditional.ts';
import { PER_CALLER } from './content-headers.ts';
import type { Exchange } from './edge.ts';

/** `headers` may name a Cache-Control of their own; else the answer is not stored. */
export function replyJson(exchange: Exchange, status: number, body: unknown, headers: readonly string[] = []): void {
  const all = ['Content-Type', 'application/json', 'X-Content-Type-Options', 'nosniff', ...headers];
  if (!headers.includes('Cache-Control')) all.push('Cache-Control', 'no-store');
  exchange.reply(status, all, JSON.stringify(body));
}

/**
 * The answer to a question that has a strong ETag: 304 to those who have it, 412 when it is not what they demand. Asked
 * after everything else was decided and noted, so that a 304 tells no more than the answer would.
 * @throws QuasarError `precondition_failed`.
 */
export function replyTagged(exchange: Exchange, etag: string, body: unknown): void {
  const validators = ['ETag', etag, ...PER_CALLER];
  const conditions = { ifMatch: exchange.header('if-match'), ifNoneMatch: exchange.header('if-none-match') };
  switch (evaluateConditions(exchange.method, conditions, etag)) {
    case 'precondition_failed':
      throw new QuasarError('precondition_failed', { op: 'http.reply', details: { etag } });
    case 'not_modified':
      exchange.reply(304, validators);
      return;
    case 'proceed':
      replyJson(exchange, 200, body, validators);
  }
}
