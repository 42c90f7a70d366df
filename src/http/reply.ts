import type { Exchange } from './edge.ts';

export function replyJson(exchange: Exchange, status: number, body: unknown, headers: readonly string[] = []): void {
  exchange.reply(status, ['Content-Type', 'application/json', ...headers], JSON.stringify(body));
}
