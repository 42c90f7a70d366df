import type { AccessGate } from './access-gate.ts';
import { admitBody } from './body-rules.ts';
import type { Caller } from './caller.ts';
import type { Dispatch, Exchange } from './edge.ts';
import { admitPreconditions } from './preconditions.ts';
import type { Match, Router } from './router.ts';

/** From a request past the gate to its handler. Whatever is thrown becomes the problem answer of the exchange. */
export function dispatchTo<Services>(router: Router<Services>, services: Services, gate: Pick<AccessGate, 'enter'>): Dispatch {
  return (exchange) => {
    const { route, params } = router.match(exchange.method, exchange.path);
    exchange.route = route.pattern;
    const caller = gate.enter(exchange, route.access, params);
    if (caller instanceof Promise) return caller.then((found) => handle(exchange, { route, params }, services, found));
    return handle(exchange, { route, params }, services, caller);
  };
}

/** What a request that changes something demands is read before its handler runs: a handler cannot forget it. */
function handle<Services>(
  exchange: Exchange,
  { route, params }: Match<Services>,
  services: Services,
  caller: Caller,
): void | Promise<void> {
  if (changes(exchange.method)) {
    admitPreconditions(exchange, route.evaluates);
    admitBody(exchange, route.body ?? 'json');
  }
  return route.handler(exchange, params, services, caller);
}

function changes(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}
