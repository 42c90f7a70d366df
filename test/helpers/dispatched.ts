import { isQuasarError } from '../../src/core/errors.ts';
import type { Caller } from '../../src/http/caller.ts';
import { dispatchTo } from '../../src/http/dispatch.ts';
import { type Route, Router } from '../../src/http/router.ts';
import { FakeExchange } from './fake-exchange.ts';

const ID = '019aa5c0-6f02-7a3b-8c1d-2e4f5a6b7c8d';

/**
 * What a request to the route comes to when everybody may do everything: the code of an error, or `handled` when its handler
 * was reached, which is not run.
 */
export async function outcomeOf({ pattern, ...rest }: Route<never>, headers: Record<string, string>): Promise<string> {
  const handler = () => {
    throw new Error('handled');
  };
  const router = new Router([{ pattern, ...rest, handler }]);
  const dispatch = dispatchTo(router, {} as never, {
    gate: { enter: () => ({}) as Caller, noteFailed: async () => undefined },
    addresses: { of: () => undefined },
  });
  const path = pattern.replace(/\{\w+\}/g, ID);
  try {
    await dispatch(new FakeExchange({ method: rest.method, path, headers: { 'content-length': '0', ...headers } }));
    return 'answered';
  } catch (error) {
    return isQuasarError(error) ? error.code : (error as Error).message;
  }
}
