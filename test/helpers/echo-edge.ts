import { createHash } from 'node:crypto';
import { systemClock } from '../../src/core/clock.ts';
import {
  type Dispatch,
  defaultEdgeRules,
  type Edge,
  type EdgeOptions,
  type EdgeRules,
  type Exchange,
} from '../../src/http/edge.ts';

export type OpenEdge = (options: EdgeOptions) => Promise<Edge>;

export interface EchoEdge {
  readonly edge: Edge;
  readonly port: number;
  /** Every exchange that reached a handler, in order. */
  readonly handled: Exchange[];
  readonly finished: Exchange[];
}

/** An edge whose handlers answer what they got; `extra` comes first and returns false for paths it does not serve. */
export async function openEchoEdge(
  open: OpenEdge,
  extra: (exchange: Exchange) => false | void | Promise<void> = () => false,
  rules: Partial<EdgeRules> = {},
): Promise<EchoEdge> {
  const handled: Exchange[] = [];
  const finished: Exchange[] = [];
  let ids = 0;
  const dispatch: Dispatch = (exchange) => {
    handled.push(exchange);
    const outcome = extra(exchange);
    return outcome === false ? echo(exchange) : outcome;
  };
  const edge = await open({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    dispatch,
    newRequestId: () => `made-${++ids}`,
    onFinished: (exchange) => finished.push(exchange),
    rules: { ...defaultEdgeRules, ...rules },
  });
  return { edge, port: edge.port, handled, finished };
}

/** Answers method, target, size and SHA-256 of the body as JSON. */
export function echo(exchange: Exchange): void {
  const hash = createHash('sha256');
  let size = 0;
  exchange.readBody({
    chunk(bytes) {
      size += bytes.byteLength;
      hash.update(bytes);
    },
    end() {
      const { method, path, query, bodySize } = exchange;
      const told = { method, path, query, declared: bodySize ?? null, size, sha256: hash.digest('hex') };
      exchange.reply(200, ['Content-Type', 'application/json'], JSON.stringify(told));
    },
    gone: () => undefined,
  });
}
