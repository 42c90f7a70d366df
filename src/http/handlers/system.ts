import { limits } from '../../core/limits.ts';
import { within } from '../../core/within.ts';
import { replyJson } from '../reply.ts';
import { onOrg, open } from '../route-access.ts';
import { route } from '../router.ts';
import type { Services } from './services.ts';

/** Alive: the process answers. Says nothing about what it depends on. */
export const getHealth = route('GET', '/v1/health', open, (exchange, _params, _services: Services) => {
  replyJson(exchange, 200, { status: 'ok' }, ['Cache-Control', 'no-store']);
});

export const getReady = route('GET', '/v1/ready', open, async (exchange, _params, { readiness, gate }: Services) => {
  const [detailed, state] = await Promise.all([within(limits.readinessMs, gate.mayObserve(exchange), false), readiness()]);
  const shown = detailed ? state : { status: state.status };
  replyJson(exchange, state.status === 'unavailable' ? 503 : 200, shown, ['Cache-Control', 'no-store']);
});

export const getMetrics = route(
  'GET',
  '/metrics',
  onOrg('observability.read'),
  async (exchange, _params, { metricsText }: Services) => {
    exchange.reply(
      200,
      ['Content-Type', 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control', 'no-store'],
      await metricsText(),
    );
  },
);

export const getOpenapi = route('GET', '/v1/openapi.json', open, (exchange, _params, { openapi }: Services) => {
  exchange.reply(200, ['Content-Type', 'application/json', 'Cache-Control', 'no-cache'], openapi);
});
