import t, { type Test } from 'tap';
import { writeConfig } from '../helpers/drill-config.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

async function start(t: Test, rates: readonly string[]): Promise<Product> {
  const config = writeConfig(temporaryFolder(t), { 'quasar.conf': rates });
  const product = await Product.start({ config });
  t.teardown(() => product.destroy());
  return product;
}

t.test('who asks too often is told when to come back, wherever he says he comes from, and others are served', async (t) => {
  const product = await start(t, ['rates.requestsPerKey = 1', 'rates.burst = 1s']);
  const from = (n: number) => ({ 'x-forwarded-for': `198.51.100.${n}`, 'x-real-ip': `198.51.100.${n}` });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => product.fetch('/v1/documents', { headers: from(n) })));
  const refused = answers.filter(({ status }) => status === 429);
  t.ok(refused.length > 0 && refused.length < 100);
  for (const answer of refused) {
    t.ok(Number(answer.headers.get('retry-after')) >= 1);
    t.match(await answer.json(), { code: 'rate_limited', details: { limit: 'requests_per_credential' } });
  }
  t.equal((await product.fetchAs(undefined, '/v1/health')).status, 200, 'nobody is asked who he is for this');
});

t.test('bytes count in both directions, before the first of them', async (t) => {
  const product = await start(t, ['rates.bytesPerKey = 1KiB', 'rates.burst = 64s']);
  const body = Buffer.alloc(100 * 1024, 7);
  const headers = { 'content-type': 'application/octet-stream' };
  const made = await product.fetch('/v1/documents', { method: 'POST', body, headers });
  t.equal(made.status, 201, 'more than the burst goes through while all of it is there');
  const { documentId } = (await made.json()) as { documentId: string };
  const again = await product.fetch('/v1/documents', { method: 'POST', body, headers });
  t.match(await again.json(), { status: 429, details: { limit: 'bytes_per_credential' } });
  const read = await product.fetch(`/v1/documents/${documentId}/content`);
  t.match(await read.json(), { status: 429 });
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(10));
      controller.close();
    },
  });
  const init = { method: 'POST', body: chunked, duplex: 'half', headers } as RequestInit;
  t.match(await (await product.fetch('/v1/documents', init)).json(), { status: 411, code: 'length_required' });
  t.equal((await product.fetch('/v1/documents')).status, 200, 'what has no content is no matter of bytes');
});
