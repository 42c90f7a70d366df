import type { Caller } from './caller.ts';
import type { Dispatch, Exchange } from './edge.ts';
import type { Router } from './router.ts';

/** From a request to its handler. Whatever is thrown becomes the problem answer of the exchange. */
export function dispatchTo<Services>(
  router: Router<Services>,
  services: Services,
  callerOf: (exchange: Exchange) => Caller,
): Dispatch {
  return (exchange) => {
    const { route, params } = router.match(exchange.method, exchange.path);
    exchange.route = route.pattern;
    return route.handler(exchange, params, services, callerOf(exchange));
  };
}
