import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { Product } from '../helpers/product.ts';
import { type ProxyName, type RunningProxy, startProxy } from '../helpers/proxy.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const MiB = 1024 * 1024;
const content = patternBytes(24 * MiB, 77);

/** nginx reads on behind an answer, as Quasar does; the others close on clients that still send more than a little. */
const HEARS_REFUSALS_OF: Readonly<Record<ProxyName, number>> = { nginx: content.length, haproxy: 100_000, caddy: 100_000 };

const product = await Product.start();
t.teardown(() => product.destroy());
const folder = await mkdtemp(join(tmpdir(), 'quasar-proxies-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
await writeFile(join(folder, 'record.bin'), content);

for (const name of ['nginx', 'haproxy', 'caddy'] as const satisfies readonly ProxyName[]) {
  t.test(`behind ${name}, as docs/proxies.md configures it`, async (t) => {
    const proxy = await startProxy(t, name, product.port);

    t.test('a record goes in and comes back byte for byte', async (t) => {
      const [stored] = (await quasar(t, proxy, ['put', 'record.bin', '--again', '--json'])) as [string];
      const { documentId } = JSON.parse(stored) as { documentId: string };
      const target = join(folder, `${name}.bin`);
      await quasar(t, proxy, ['get', documentId, '-o', target]);
      t.ok((await readFile(target)).equals(content));
    });

    t.test('a cut upload continues where it was durable, which is not at 0', async (t) => {
      const session = await ask(proxy, { method: 'POST', path: '/v1/documents', json: { size: content.length } });
      const { uploadId } = session.json as { uploadId: string };
      const path = `/v1/uploads/${uploadId}`;
      const headers = { 'Upload-Offset': '0', 'Content-Length': content.length };
      const cut = openRequest(proxy, { method: 'PUT', path: `${path}/bytes`, headers });
      cut.on('error', () => cut.destroy());
      await new Promise((sent) => cut.write(content.subarray(0, 12 * MiB), sent));
      await sleep(200);
      cut.destroy();
      const uploadOffset = await untilStill(async () =>
        Number((await product.fetch(path, { method: 'HEAD' })).headers.get('upload-offset')),
      );
      t.ok(uploadOffset >= 8 * MiB, `${uploadOffset} bytes are durable`);
      const rest = { 'Upload-Offset': String(uploadOffset) };
      t.match(await ask(proxy, { method: 'PUT', path: `${path}/bytes`, headers: rest, body: content.subarray(uploadOffset) }), {
        status: 204,
      });
      const { json } = await ask(proxy, { method: 'POST', path: `${path}/finalize` });
      t.match(json, { digests: { sha256: sha256(content) } });
    });

    t.test('ETags stay strong, answers stay as they are, and ranges are ranges', async (t) => {
      const stored = await ask(proxy, { method: 'POST', path: '/v1/documents', body: Buffer.from('plain text '.repeat(1000)) });
      const path = `/v1/documents/${(stored.json as { documentId: string }).documentId}/content`;
      const whole = await ask(proxy, { path, headers: { 'Accept-Encoding': 'gzip, br, zstd' } });
      t.equal(whole.headers['content-encoding'], undefined);
      t.match(whole.headers.etag, /^"b3-/);
      t.equal(whole.body.length, 11_000);
      const part = await ask(proxy, { path, headers: { Range: 'bytes=11-15', 'If-Range': whole.headers.etag as string } });
      t.match([part.status, part.body.toString()], [206, 'plain']);
      t.match(await ask(proxy, { path, headers: { 'If-None-Match': whole.headers.etag as string } }), { status: 304 });
    });

    t.test('an upload that is refused early hears why', async (t) => {
      const body = content.subarray(0, HEARS_REFUSALS_OF[name]);
      const refused = await ask(proxy, { method: 'POST', path: '/v1/documents', body, key: 'qk_nobody' });
      t.match(refused, { status: 401, json: { code: 'unauthenticated' } });
    });
  });
}

t.test('nginx with nothing but proxy_pass, which speaks HTTP/1.0, is served too', async (t) => {
  const proxy = await startProxy(t, 'nginx', product.port, (config) =>
    config.replace(/( *proxy_pass [^;]*;\n)[\s\S]*?\n {4}\}/, '$1    }').replace(/client_max_body_size 0;/, '$&'),
  );
  const stored = await ask(proxy, { method: 'POST', path: '/v1/documents', body: content });
  t.equal(stored.status, 201, stored.body.toString());
  const { documentId } = stored.json as { documentId: string };
  t.ok((await ask(proxy, { path: `/v1/documents/${documentId}/content` })).body.equals(content));
  t.match(await ask(proxy, { path: '/v1/documents?limit=1' }), { status: 200 });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** Undefined when the body is none. */
  readonly json: unknown;
}

interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array;
  readonly json?: unknown;
  readonly key?: string;
}

function openRequest(proxy: RunningProxy, { key, ...options }: RequestOptions & { readonly key?: string }) {
  const headers = { Authorization: `Bearer ${key ?? product.key}`, ...(options.headers as Record<string, string>) };
  return request({ host: 'localhost', port: proxy.port, ca: proxy.certificate, agent: false, ...options, headers });
}

async function ask(proxy: RunningProxy, { method = 'GET', path, headers = {}, json, body, key }: Question): Promise<Answer> {
  const bytes = json === undefined ? body : Buffer.from(JSON.stringify(json));
  const type = json === undefined ? 'application/octet-stream' : 'application/json';
  const described = bytes === undefined ? {} : { 'Content-Type': type, 'Content-Length': bytes.byteLength };
  const sending = openRequest(proxy, {
    method,
    path,
    headers: { ...described, ...headers },
    ...(key === undefined ? {} : { key }),
  });
  const answered = once(sending, 'response') as Promise<[IncomingMessage]>;
  // An answer that comes early may be followed by a failure of the rest of the sending.
  sending.on('error', () => sending.destroy());
  sending.end(bytes);
  const [response] = await answered;
  const received = await buffer(response);
  const isJson = /json/.test(response.headers['content-type'] ?? '');
  const parsed: unknown = isJson && received.length > 0 ? JSON.parse(received.toString()) : undefined;
  return { status: response.statusCode, headers: response.headers, body: received, json: parsed };
}

/** Lines of standard output of a command that must succeed. */
async function quasar(t: Test, proxy: RunningProxy, line: readonly string[]): Promise<readonly string[]> {
  const command = spawn(process.execPath, [MAIN, ...line], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      QUASAR_URL: `https://localhost:${proxy.port}`,
      QUASAR_KEY_FILE: product.keyFile,
      NODE_EXTRA_CA_CERTS: proxy.certificateFile,
    },
  });
  const [output, [code]] = await Promise.all([buffer(command.stdout), once(command, 'exit')]);
  t.equal(code, 0, line.join(' '));
  return output.toString().split('\n');
}

/** The bytes of a cut request are durable a moment after the cut. */
async function untilStill(durable: () => Promise<number>): Promise<number> {
  for (let before = -1; ; await sleep(200)) {
    const now = await durable();
    if (now > 0 && now === before) return now;
    before = now;
  }
}
