import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { openEdge } from '../../../src/http/open-edge.ts';

const options = {
  host: '127.0.0.1',
  port: 0,
  clock: systemClock,
  dispatch: () => undefined,
  newRequestId: () => 'r',
  onFinished: () => undefined,
};

t.test('the server asked for serves', async (t) => {
  const { edge, fallbackReason } = await openEdge({ ...options, prefer: 'node:http' });
  t.teardown(() => edge.close());
  t.equal(edge.name, 'node:http');
  t.equal(fallbackReason, undefined);
  t.ok(edge.port > 0);
});

t.test('node:http serves where uWebSockets.js does not load, and the reason is told', async (t) => {
  const broken = () =>
    Promise.reject(new Error("This library supports only some platforms.\n\nError: version `GLIBC_2.38' not found"));
  const { edge, fallbackReason } = await openEdge(options, broken);
  t.teardown(() => edge.close());
  t.equal(edge.name, 'node:http');
  t.equal(fallbackReason, "Error: version `GLIBC_2.38' not found");
});

t.test('a taken port is not tried again with the other server', async (t) => {
  const { edge } = await openEdge({ ...options, prefer: 'node:http' });
  t.teardown(() => edge.close());
  await t.rejects(openEdge({ ...options, port: edge.port }), { code: 'port_in_use' });
});
