import type { Log, RepeatedLine } from '../core/log.ts';
import { type CounterCell, durationBuckets, type HistogramCell, type Metrics } from '../core/metrics.ts';
import type { EdgeOptions } from './edge.ts';

/** What requests of one route, method and status share. */
interface Cells {
  readonly line: RepeatedLine;
  /** Of requests whose credential was taken. */
  readonly lineOf: RepeatedLine;
  readonly requests: CounterCell;
  readonly duration: HistogramCell;
  readonly bytes: CounterCell;
}

/**
 * One log line and three numbers a request: rate, errors and duration by route. Failures that are ours are logged with
 * their causes here, and nowhere else; those of clients only with their code.
 */
export function requestLog(log: Log, metrics: Metrics): EdgeOptions['onFinished'] {
  const requests = metrics.counter<'route' | 'method' | 'status'>({
    name: 'quasar_http_requests_total',
    help: 'Requests answered, by route, method and status; 0 when the client went before an answer.',
    labels: ['route', 'method', 'status'],
  });
  const duration = metrics.histogram<'route' | 'method'>({
    name: 'quasar_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labels: ['route', 'method'],
    buckets: durationBuckets,
  });
  const bytes = metrics.counter<'route'>({
    name: 'quasar_http_response_bytes_total',
    help: 'Body bytes sent.',
    labels: ['route'],
  });
  const known = new Map<string, Map<string, Cells>>();
  const cellsOf = (route: string, method: string, status: number): Cells => {
    const ofRoute = known.get(route) ?? new Map<string, Cells>();
    known.set(route, ofRoute);
    const key = `${status}${method}`;
    let cells = ofRoute.get(key);
    if (cells === undefined) {
      cells = {
        line: log.repeated({ route, status }, OF_ALL, 'request'),
        lineOf: log.repeated({ route, status }, OF_SOMEBODY, 'request'),
        requests: requests.with({ route, method, status }),
        duration: duration.with({ route, method }),
        bytes: bytes.with({ route }),
      };
      ofRoute.set(key, cells);
    }
    return cells;
  };

  return (exchange, ms) => {
    const { requestId, method, failure, asker } = exchange;
    const address = exchange.address ?? exchange.remoteAddress;
    const { status, bytes: sent } = exchange.sent;
    const route = exchange.route ?? 'none';
    const cells = cellsOf(route, METHODS.has(method) ? method : 'other', status);
    cells.requests.add(1);
    cells.duration.observe(ms / 1000);
    cells.bytes.add(sent);
    const rounded = Math.round(ms * 1000) / 1000;
    if (failure === undefined) {
      if (asker === undefined) cells.line([requestId, method, sent, rounded, address]);
      else cells.lineOf([requestId, method, sent, rounded, address, asker.principalId, asker.credentialId]);
      return;
    }
    const fields = { route, status, requestId, method, bytes: sent, ms: rounded, address, ...asker };
    if (OURS.has(failure.kind)) log.error({ ...fields, error: failure }, 'request');
    else log.info({ ...fields, code: failure.code }, 'request');
  };
}

const OF_ALL = ['requestId', 'method', 'bytes', 'ms', 'address'];
const OF_SOMEBODY = [...OF_ALL, 'principalId', 'credentialId'];
/** Method and route come from a fixed set, so that a client cannot grow the metrics. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
const OURS: ReadonlySet<string> = new Set(['internal', 'corrupt', 'unavailable']);
