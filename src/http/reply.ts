import type { Exchange } from './edge.ts';

/** `headers` may name a Cache-Control of their own; else the answer is not stored. */
export function replyJson(exchange: Exchange, status: number, body: unknown, headers: readonly string[] = []): void {
  const all = ['Content-Type', 'application/json', 'X-Content-Type-Options', 'nosniff', ...headers];
  if (!headers.includes('Cache-Control')) all.push('Cache-Control', 'no-store');
  exchange.reply(status, all, JSON.stringify(body));
}
