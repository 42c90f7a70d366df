import type { AccessGate } from './access-gate.ts';
import type { Dispatch } from './edge.ts';
import type { Router } from './router.ts';

/** From a request past the gate to its handler. Whatever is thrown becomes the problem answer of the exchange. */
export function dispatchTo<Services>(router: Router<Services>, services: Services, gate: Pick<AccessGate, 'enter'>): Dispatch {
  return (exchange) => {
    const { route, params } = router.match(exchange.method, exchange.path);
    exchange.route = route.pattern;
    const caller = gate.enter(exchange, route.access, params);
    if (caller instanceof Promise) return caller.then((found) => route.handler(exchange, params, services, found));
    return route.handler(exchange, params, services, caller);
  };
}
