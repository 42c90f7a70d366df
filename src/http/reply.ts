import type { Exchange } from './edge.ts';

/** `headers` is a flat list and may name a Cache-Control of its own; else the answer must not be stored. */
export function replyJson(exchange: Exchange, status: number, value: unknown, headers: readonly string[] = []): void {
  replyText(exchange, status, 'application/json', JSON.stringify(value), headers);
}

export function replyText(
  exchange: Exchange,
  status: number,
  contentType: string,
  text: string,
  headers: readonly string[] = [],
): void {
  const all = ['Content-Type', contentType, 'X-Content-Type-Options', 'nosniff', ...headers];
  if (!headers.includes('Cache-Control')) all.push('Cache-Control', 'no-store');
  exchange.reply(status, all, text);
}
