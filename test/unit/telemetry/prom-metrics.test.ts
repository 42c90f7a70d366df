import t from 'tap';
import { createPromMetrics } from '../../../src/telemetry/prom-metrics.ts';

t.test('counters add up by label', async (t) => {
  const metrics = createPromMetrics();
  const requests = metrics.counter({ name: 'quasar_http_requests_total', help: 'Requests.', labels: ['route', 'status'] });
  const health = requests.with({ route: '/v1/health', status: 200 });
  health.add(1);
  health.add(2);
  requests.with({ route: '/v1/ready', status: 503 }).add(1);
  const page = await metrics.render();
  t.match(page, 'quasar_http_requests_total{route="/v1/health",status="200"} 3\n');
  t.match(page, 'quasar_http_requests_total{route="/v1/ready",status="503"} 1\n');
});

t.test('a counter without labels is there from the start', async (t) => {
  const metrics = createPromMetrics();
  const corrupt = metrics.counter({ name: 'quasar_corrupt_blocks_total', help: 'Corrupt blocks.' });
  t.match(await metrics.render(), 'quasar_corrupt_blocks_total 0\n');
  corrupt.with({}).add(1);
  t.match(await metrics.render(), 'quasar_corrupt_blocks_total 1\n');
});

t.test('histograms count what they observe', async (t) => {
  const metrics = createPromMetrics();
  const seconds = metrics
    .histogram({ name: 'quasar_x_seconds', help: 'X.', labels: ['route'], buckets: [0.1, 1] })
    .with({ route: '/' });
  for (const value of [0.05, 0.5, 5]) seconds.observe(value);
  const page = await metrics.render();
  t.match(page, 'quasar_x_seconds_bucket{le="0.1",route="/"} 1\n');
  t.match(page, 'quasar_x_seconds_bucket{le="1",route="/"} 2\n');
  t.match(page, 'quasar_x_seconds_count{route="/"} 3\n');
});

t.test('gauges and counters of others are read for each page', async (t) => {
  const metrics = createPromMetrics();
  let value = 1;
  metrics.gauge({ name: 'quasar_slab_free_slots', help: 'Free.' }, () => value);
  metrics.gaugeBy({ name: 'quasar_segments', help: 'Segments.' }, 'state', () =>
    value === 1 ? { sealed: 2, active: 1 } : { sealed: 3 },
  );
  metrics.counterOf({ name: 'quasar_cache_hits_total', help: 'Hits.' }, () => value * 10);
  const first = await metrics.render();
  t.match(first, 'quasar_slab_free_slots 1\n');
  t.match(first, 'quasar_segments{state="active"} 1\n');
  t.match(first, 'quasar_cache_hits_total 10\n');
  value = 2;
  const second = await metrics.render();
  t.match(second, 'quasar_slab_free_slots 2\n');
  t.notMatch(second, 'state="active"');
  t.match(second, 'quasar_cache_hits_total 20\n');
});

t.test('process and event-loop figures come along', async (t) => {
  const metrics = createPromMetrics();
  const page = await metrics.render();
  t.match(page, /^process_resident_memory_bytes \d/m);
  t.match(page, /^nodejs_eventloop_lag_seconds \d/m);
  t.match(metrics.contentType, /^text\/plain; version=0\.0\.4/);
});

t.test('two of them in one process do not meet, one name twice in one of them is a bug', async (t) => {
  const [a, b] = [createPromMetrics(), createPromMetrics()];
  a.counter({ name: 'quasar_twice_total', help: 'Twice.' });
  b.counter({ name: 'quasar_twice_total', help: 'Twice.' });
  t.throws(() => a.counter({ name: 'quasar_twice_total', help: 'Twice.' }), /already been registered/);
});
