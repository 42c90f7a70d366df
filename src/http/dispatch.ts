import { toQuasarError } from '../core/errors.ts';
import type { AccessGate } from './access-gate.ts';
import { admitBody } from './body-rules.ts';
import type { Caller } from './caller.ts';
import type { ClientAddresses } from './client-address.ts';
import type { Dispatch, Exchange } from './edge.ts';
import { asksForLargePage, PageTurns } from './page-turns.ts';
import { admitPreconditions } from './preconditions.ts';
import type { Match, Router } from './router.ts';

export interface DispatchPorts {
  readonly gate: Pick<AccessGate, 'enter' | 'noteFailed'>;
  readonly addresses: Pick<ClientAddresses, 'of'>;
}

/**
 * From a request past the gate to its handler. Whatever is thrown becomes the problem answer of the exchange, once a change that
 * was allowed to be tried, and failed, is noted.
 */
export function dispatchTo<Services>(router: Router<Services>, services: Services, ports: DispatchPorts): Dispatch {
  const { gate, addresses } = ports;
  const turns = new PageTurns();
  const read = ({ route, params }: Match<Services>, exchange: Exchange, caller: Caller): void | Promise<void> => {
    if (route.access.kind === 'open' || !asksForLargePage(exchange.query))
      return route.handler(exchange, params, services, caller);
    // Who has gone while it waited needs no page.
    return turns.run(caller, () => (exchange.gone ? undefined : route.handler(exchange, params, services, caller)));
  };
  const handle = (match: Match<Services>, exchange: Exchange, caller: Caller): void | Promise<void> => {
    const { route, params } = match;
    if (!changes(exchange.method)) return read(match, exchange, caller);
    const fail = async (error: unknown): Promise<never> => {
      const failure = { request: `${exchange.method} ${route.pattern}`, error: toQuasarError(error, 'http.dispatch') };
      if (exchange.sent.status === 0) await gate.noteFailed(caller, failure);
      throw error;
    };
    try {
      // What a request demands, and what its body is, is read here: a handler cannot forget it.
      admitPreconditions(exchange, route.evaluates);
      admitBody(exchange, route.body ?? 'json');
      return route.handler(exchange, params, services, caller)?.catch(fail);
    } catch (error) {
      return fail(error);
    }
  };
  return (exchange) => {
    exchange.address = addresses.of(exchange);
    const match = router.match(exchange.method, exchange.path);
    exchange.route = match.route.pattern;
    const caller = gate.enter(exchange, match.route.access, match.params);
    return caller instanceof Promise ? caller.then((found) => handle(match, exchange, found)) : handle(match, exchange, caller);
  };
}

function changes(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}
