import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { defaultEdgeRules } from '../../../src/http/edge.ts';
import { openEdge } from '../../../src/http/open-edge.ts';

const options = {
  host: '127.0.0.1',
  port: 0,
  clock: systemClock,
  dispatch: () => undefined,
  newRequestId: () => 'r',
  onFinished: () => undefined,
  rules: defaultEdgeRules,
};

t.test('the server asked for serves', async (t) => {
  for (const [adapter, name] of [
    ['net', 'net'],
    ['node', 'node:http'],
  ] as const) {
    const edge = await openEdge(adapter, options);
    t.teardown(() => edge.close());
    t.equal(edge.name, name);
    t.ok(edge.port > 0);
    await t.rejects(openEdge(adapter, { ...options, port: edge.port }), { code: 'port_in_use' });
  }
});
