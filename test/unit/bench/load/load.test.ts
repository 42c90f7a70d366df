import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { load } from '../../../../bench/load/main.ts';
import type { LoadResult } from '../../../../bench/load/measure/load-result.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';

type Handler = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

async function serve(t: Test, handle: Handler): Promise<string> {
  const server: Server = createServer(async (request, response) => {
    const body = await buffer(request).catch(() => undefined);
    // Nobody waits for an answer when the client has gone away within its body.
    if (body !== undefined) handle(request, body, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** Keeps what is PUT and answers what was kept; `spoil` may answer a GET in its place. */
function keeping(spoil: (response: ServerResponse, kept: Buffer, count: number) => boolean = () => false): Handler {
  const files = new Map<string | undefined, Buffer>();
  let reads = 0;
  return ({ method, url }, body, response) => {
    if (method === 'PUT') files.set(url, body);
    const kept = files.get(url);
    if (method === 'PUT') response.writeHead(201).end();
    else if (kept === undefined) response.writeHead(404).end();
    else if (!spoil(response, kept, reads++)) response.writeHead(200, { 'content-length': kept.length }).end(kept);
  };
}

async function run(t: Test, url: string, ...flags: string[]): Promise<{ code: number; result: LoadResult }> {
  const json = join(temporaryFolder(t), 'result.json');
  const code = await load(['--url', url, '--driver', 'http', '--warm-up', '0s', '--json', json, ...flags]);
  return { code, result: JSON.parse(readFileSync(json, 'utf8')) };
}

const faultsOf = ({ rows }: LoadResult, name: string) => rows.find((row) => row.name === name)?.faults;

t.test('a server that does what it should has no failures', async (t) => {
  const url = await serve(t, keeping());
  const flags = ['--mix', 'upload=1,download=1,metadata=1', '--size', '1KB..9KB', '--requests', '90', '--workers', '2'];
  const { code, result } = await run(t, url, ...flags, '--verify', '1', '--seed', '4');
  t.equal(code, 0);
  t.equal(result.requests, 90);
  t.equal(result.failures, 0);
  t.equal(result.plan.seed, 4);
  t.strictSame(
    result.rows.map(({ name }) => name),
    ['download', 'metadata', 'upload'],
  );
  const downloads = result.rows[0]?.requests ?? 0;
  t.equal(result.verified, downloads, 'every body that was read was compared');
});

t.test('wrong bytes, refusals, cut bodies and wrong sizes are found and counted', async (t) => {
  const url = await serve(
    t,
    keeping((response, kept, count) => {
      const length = { 'content-length': kept.length };
      const wrong = Buffer.from(kept);
      wrong[500] = (wrong[500] as number) ^ 4;
      if (count % 5 === 1) response.writeHead(200, length).end(wrong);
      else if (count % 5 === 2) response.writeHead(503, { 'retry-after': '1' }).end('busy');
      else if (count % 5 === 3) response.writeHead(200, length).write(kept.subarray(0, 600), () => response.destroy());
      else if (count % 5 === 4) response.writeHead(200, { 'content-length': 700 }).end(kept.subarray(0, 700));
      return count % 5 !== 0;
    }),
  );
  const flags = ['--profile', 'download', '--size', '1KB', '--requests', '50', '--connections', '1', '--verify', '1'];
  const { code, result } = await run(t, url, ...flags);
  t.equal(code, 1);
  t.equal(result.requests, 10);
  t.strictSame(faultsOf(result, 'download'), { 'wrong bytes': 10, 'status 503': 10, 'short body': 10, 'wrong size': 10 });
  t.match(result.explanations.join('\n'), /download: wrong bytes/);
});

t.test('a server that ignores ranges is found out', async (t) => {
  const url = await serve(t, keeping());
  const flags = ['--profile', 'range', '--size', '1KB', '--range-size', '100', '--requests', '7'];
  const { code, result } = await run(t, url, ...flags);
  t.equal(code, 1);
  t.strictSame(faultsOf(result, 'range'), { 'range ignored': 7 });
});

t.test('every n-th body is compared', async (t) => {
  const url = await serve(t, keeping());
  const flags = ['--profile', 'download', '--size', '1KB', '--requests', '20', '--workers', '1'];
  t.equal((await run(t, url, ...flags, '--verify', '5')).result.verified, 4);
  t.equal((await run(t, url, ...flags, '--verify', '0')).result.verified, 0);
});

t.test('uploads that are cut are sent again; the same seed sends the same bytes', async (t) => {
  const seen = [new Map<string, string>(), new Map<string, string>()];
  for (const files of seen) {
    const url = await serve(t, ({ url = '' }, body, response) => {
      files.set(url, body.toString('latin1'));
      response.writeHead(201).end();
    });
    const flags = ['--profile', 'upload', '--size', '1KB..50KB', '--requests', '30', '--seed', '11', '--abort', '50%'];
    const { code, result } = await run(t, url, ...flags);
    t.equal(code, 0);
    t.equal(result.requests, 30);
    t.ok(result.cut > 5);
    t.equal(result.resumed, result.cut);
  }
  t.equal(seen[0]?.size, 30);
  t.equal(new Set(seen[0]?.values()).size, 30, 'no two bodies are alike');
  t.strictSame([...(seen[0]?.keys() ?? [])].sort(), [...(seen[1]?.keys() ?? [])].sort());
  for (const [name, body] of seen[0] ?? []) t.ok(seen[1]?.get(name) === body, name);
});

t.test('an upload goes on in its session, also when the connection breaks once more', async (t) => {
  let stored: Buffer = Buffer.alloc(0);
  let appends = 0;
  const url = await serve(t, ({ method, url = '', socket }, body, response) => {
    const offset = { 'upload-offset': stored.length };
    if (url === '/v1/documents') response.writeHead(201).end('{"uploadId":"u"}');
    else if (method === 'HEAD') response.writeHead(200, offset).end();
    else if (url.endsWith('/finalize')) {
      const sha256 = createHash('sha256').update(stored).digest('hex');
      response.writeHead(201).end(JSON.stringify({ documentId: 'd', digests: { sha256 } }));
    } else if (appends++ % 2 === 0) socket.resetAndDestroy();
    else {
      stored = body;
      response.writeHead(204, { 'upload-offset': body.length }).end();
    }
  });
  const flags = ['--driver', 'quasar', '--profile', 'upload', '--size', '9KB', '--requests', '1', '--abort', '100%'];
  const { code, result } = await run(t, url, ...flags, '--verify', '1');
  t.strictSame(result.explanations, []);
  t.equal(code, 0);
  t.equal(result.resumed, 1);
  t.equal(result.verified, 1);
  t.equal(appends, 2);
});

t.test('while a server stalls, requests go on being due, and all of them count with their wait', async (t) => {
  let reads = 0;
  const held: (() => void)[] = [];
  const url = await serve(
    t,
    keeping((response, kept) => {
      reads += 1;
      if (reads !== 20) return false;
      // From here on, nothing for a second: one connection, so one request is all that notices.
      held.push(() => response.writeHead(200, { 'content-length': kept.length }).end(kept));
      setTimeout(() => held.pop()?.(), 1000);
      return true;
    }),
  );
  const flags = ['--profile', 'download', '--size', '1KB', '--documents', '1', '--connections', '1', '--rate', '100'];
  const { code, result } = await run(t, url, ...flags, '--arrivals', 'uniform', '--duration', '2s', '--workers', '1');
  t.equal(code, 0);
  t.equal(result.requests, 200, 'two seconds at 100 a second, stalled or not');
  t.equal(result.due, 200);
  const [row] = result.rows;
  t.ok((row?.latencyMs?.p99 ?? 0) >= 900, `p99 ${row?.latencyMs?.p99} ms from when requests were due`);
  // Of those due within the stall, about 50 waited for half of it; a client that waits for answers would have one.
  t.ok((row?.latencyMs?.p90 ?? 0) >= 400, `p90 ${row?.latencyMs?.p90} ms`);
  t.ok(result.queueMax >= 50, `${result.queueMax} stood in line`);
  t.ok((result.waitMs?.max ?? 0) >= 900);
});
