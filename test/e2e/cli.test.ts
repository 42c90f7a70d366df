import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const MiB = 1024 * 1024;

const folder = temporaryFolder(t);
let product = await Product.start();
t.teardown(() => product.destroy());

interface Ran {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly json: readonly Record<string, unknown>[];
}

function start(line: readonly string[], url: string, stdin: 'ignore' | 'pipe' = 'ignore') {
  return spawn(process.execPath, [MAIN, ...line], {
    env: { ...process.env, QUASAR_URL: url, QUASAR_KEY_FILE: product.keyFile },
    stdio: [stdin, 'pipe', 'pipe'],
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
}

async function quasar(line: readonly string[], url = product.url): Promise<Ran> {
  return outcomeOf(start(line, url), line.includes('--json'));
}

async function outcomeOf(child: ReturnType<typeof start>, json: boolean): Promise<Ran> {
  const [stdout, stderr, [code]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), once(child, 'exit')]);
  const lines = stdout.toString().split('\n').slice(0, -1);
  return {
    code: code as number | null,
    stdout,
    stderr: stderr.toString(),
    json: json ? lines.map((text) => JSON.parse(text)) : [],
  };
}

/** Stands between client and server; stops taking bytes of clients after `holdAfter` of them. */
class Gate {
  target: number;
  /** Bytes of clients so far. */
  passed = 0;
  holdAfter = Number.POSITIVE_INFINITY;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
  }

  static async open(target: number): Promise<Gate> {
    const server = createServer((client) => gate.#join(client));
    const gate = new Gate(server, target);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /** Resolves when clients have sent so much that the gate holds. */
  async held(): Promise<void> {
    while (this.passed < this.holdAfter) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    server.pipe(client);
    client.on('data', (bytes) => {
      this.passed += bytes.length;
      if (this.passed >= this.holdAfter) client.pause();
      else if (!server.write(bytes)) {
        client.pause();
        server.once('drain', () => client.resume());
      }
    });
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

t.test('a folder goes in, is listed under its names, and comes back byte for byte', async (t) => {
  const root = join(folder, 'records');
  mkdirSync(join(root, '2026', 'März'), { recursive: true });
  const contents: Record<string, Buffer> = {
    '2026/März/Akte "4-12".pdf': Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(100_000)]),
    '2026/facts.json': Buffer.from('{"case":4}'),
    '2026/scan.tif': randomBytes(11 * MiB + 7),
    'empty.txt': Buffer.alloc(0),
    'one-block.bin': randomBytes(MiB),
    'two-blocks.bin': randomBytes(MiB + 1),
  };
  for (const [name, bytes] of Object.entries(contents)) writeFileSync(join(root, name), bytes);

  const put = await quasar(['put', '-r', root, '--json']);
  t.equal(put.code, 0, put.stderr);
  t.equal(put.json.length, 6);
  for (const one of put.json) t.match(one, { durability: 'fsync;nodes=1', fresh: true });

  const listed = await quasar(['ls', '--all', '--json']);
  const names = listed.json.map((item) => (item.current as { filename: string }).filename);
  t.same(names.sort(), Object.keys(contents).sort());

  for (const item of listed.json) {
    const { filename, digests, size } = item.current as { filename: string; digests: { sha256: string }; size: number };
    const bytes = contents[filename] as Buffer;
    const output = join(folder, 'out.bin');
    const got = await quasar(['get', item.documentId as string, '-o', output, '--json']);
    t.equal(got.code, 0, got.stderr);
    t.match(got.json, [{ verified: true, sha256: sha256(bytes), size: bytes.length }]);
    t.ok(readFileSync(output).equals(bytes), filename);
    t.match({ digests, size }, { digests: { sha256: sha256(bytes) }, size: bytes.length });
  }

  const again = await quasar(['put', '-r', root]);
  t.equal(again.code, 0);
  t.match(again.stderr, /^0 files stored, 6 already present;/);
  t.equal((await quasar(['ls', '--all', '--json'])).json.length, 6, 'a second run of the same command makes nothing twice');
});

t.test('stat, ranges and keys agree with what put said', async (t) => {
  const bytes = randomBytes(3 * MiB);
  const path = join(folder, 'three.bin');
  writeFileSync(path, bytes);
  const [stored] = (await quasar(['put', path, '--json'])).json as [{ documentId: string; key: string; versionId: string }];
  const [shown] = (await quasar(['stat', stored.documentId, '--json'])).json;
  t.match(shown, { kind: 'document', currentVersionId: stored.versionId, versions: [{ contentRef: { key: stored.key } }] });
  t.match((await quasar(['stat', stored.key, '--json'])).json, [{ kind: 'blob', size: bytes.length, sha256: sha256(bytes) }]);
  const range = await quasar(['get', stored.key, '--range', '1048570-2097160']);
  t.ok(range.stdout.equals(bytes.subarray(1_048_570, 2_097_161)));

  writeFileSync(path, 'second version');
  const second = await quasar(['put', path, '--document', stored.documentId, '--json']);
  t.match(second.json, [{ documentId: stored.documentId, fresh: true }]);
  t.equal((await quasar(['get', stored.documentId])).stdout.toString(), 'second version');
  t.ok(
    (await quasar(['get', stored.documentId, '--version', stored.versionId])).stdout.equals(bytes),
    'the first is still there',
  );
  t.equal((await quasar(['get', stored.documentId.replace(/^.{8}/, '00000000')])).code, 3);
});

t.test('a document that was changed can become what it was before, and is not stored again as what it is', async (t) => {
  const path = join(folder, 'back.txt');
  writeFileSync(path, 'one');
  const [first] = (await quasar(['put', path, '--json'])).json as [{ documentId: string }];
  for (const [text, fresh] of [
    ['one', false],
    ['two', true],
    ['one', true],
    ['one', false],
  ] as const) {
    writeFileSync(path, text);
    const { code, json, stderr } = await quasar(['put', path, '--as-version', first.documentId, '--json']);
    t.equal(code, 0, stderr);
    t.match(json, [{ documentId: first.documentId, fresh }], text);
  }
  t.equal((await quasar(['get', first.documentId])).stdout.toString(), 'one');
});

t.test('--update keeps one document per path, for files in one request and in sessions', async (t) => {
  const paths = ['Akte (1) ä.pdf', 'facts.json', 'large.bin'].map((name) => join(folder, 'kept', name));
  mkdirSync(join(folder, 'kept'));
  const write = (text: string) => {
    for (const path of paths) writeFileSync(path, path.endsWith('.bin') ? Buffer.alloc(9 * MiB, text) : JSON.stringify(text));
  };
  const update = async () => {
    const { code, json, stderr } = await quasar(['put', '-r', join(folder, 'kept'), '--update', '--json']);
    t.equal(code, 0, stderr);
    return new Map(json.map(({ file, documentId, fresh }) => [file as string, { documentId, fresh }]));
  };
  write('first');
  const first = await update();
  for (const [text, fresh] of [
    ['first', false],
    ['second', true],
    ['second', false],
  ] as const) {
    write(text);
    for (const [file, one] of await update()) t.same(one, { documentId: first.get(file)?.documentId, fresh }, `${text} ${file}`);
  }
});

t.test('nothing is stored of a source that is not what the flags say', async (t) => {
  const before = (await quasar(['ls', '--all', '--json'])).json.length;
  const bytes = randomBytes(1000);
  for (const flags of [
    ['--size', '1001'],
    ['--sha256', sha256(randomBytes(1))],
    ['--b3', 'ab'.repeat(32)],
  ]) {
    const child = start(['put', '-', ...flags], product.url, 'pipe');
    child.stdin?.end(bytes);
    t.equal((await outcomeOf(child, false)).code, 4, flags.join(' '));
  }
  t.equal((await quasar(['ls', '--all', '--json'])).json.length, before);
  const whole = start(['put', '-', '--size', '1000', '--sha256', sha256(bytes), '--json'], product.url, 'pipe');
  whole.stdin?.end(bytes);
  t.match(await outcomeOf(whole, true), { code: 0, json: [{ sha256: sha256(bytes), fresh: true }] });
});

t.test('a client killed in the middle of a put continues where the server stands', async (t) => {
  const bytes = randomBytes(40 * MiB);
  const path = join(folder, 'killed.bin');
  writeFileSync(path, bytes);
  const gate = await Gate.open(product.port);
  t.teardown(() => gate.close());
  gate.holdAfter = 25 * MiB;
  const first = start(['put', path], gate.url);
  await gate.held();
  first.kill('SIGKILL');
  await once(first, 'exit');
  gate.cut();

  gate.holdAfter = Number.POSITIVE_INFINITY;
  gate.passed = 0;
  const second = await quasar(['put', path, '--json'], gate.url);
  t.equal(second.code, 0, second.stderr);
  t.match(second.json, [{ sha256: sha256(bytes), size: bytes.length }]);
  t.ok(gate.passed < 30 * MiB, `only the rest was sent: ${gate.passed} bytes`);
  const got = await quasar(['get', second.json[0]?.documentId as string]);
  t.ok(got.stdout.equals(bytes));
});

t.test('a server killed in the middle of a put is waited for, and the put goes on by itself', async (t) => {
  const bytes = randomBytes(40 * MiB);
  const path = join(folder, 'server-killed.bin');
  writeFileSync(path, bytes);
  const gate = await Gate.open(product.port);
  t.teardown(() => gate.close());
  gate.holdAfter = 25 * MiB;
  const child = start(['put', path, '--json'], gate.url);
  const outcome = outcomeOf(child, true);
  await gate.held();
  await product.kill();
  gate.holdAfter = Number.POSITIVE_INFINITY;
  gate.cut();
  product = await Product.start({ data: product.data });
  gate.target = product.port;
  const { code, json, stderr } = await outcome;
  t.equal(code, 0, stderr);
  t.match(stderr, /server-killed\.bin: .* Trying again in /);
  t.match(json, [{ sha256: sha256(bytes) }]);
  t.ok((await quasar(['get', json[0]?.documentId as string])).stdout.equals(bytes));
});

t.test('segments are listed, restored and verified beside the running server', async (t) => {
  const path = join(folder, 'beside.bin');
  const bytes = randomBytes(5 * MiB);
  writeFileSync(path, bytes);
  const [stored] = (await quasar(['put', path, '--json'])).json as [{ key: string }];
  const listed = await quasar(['ls', '--segments', '--data', product.data, '--json']);
  t.equal(listed.code, 0, listed.stderr);
  const keys = new Set(listed.json.map(({ key }) => key));
  t.ok(keys.has(stored.key));
  for (const { current } of (await quasar(['ls', '--all', '--json'])).json as { current: { contentRef: { key: string } } }[]) {
    t.ok(keys.has(current.contentRef.key), 'what the database knows, the segments name');
  }
  const output = join(folder, 'restored.bin');
  t.equal((await quasar(['get', stored.key, '--segments', '--data', product.data, '-o', output])).code, 0);
  t.ok(readFileSync(output).equals(bytes));
  const verified = await quasar(['verify', '--data', product.data]);
  t.equal(verified.code, 0, verified.stdout.toString());
  t.match(verified.stdout.toString(), /^All is whole: /);
});

// Last: the store is damaged from here on.
for (const known of [true, false]) {
  const when = known ? 'that a reader has met' : 'that nobody has read';
  t.test(`a large file with damage ${when} is never called present, and putting it again mends its document`, async (t) => {
    const bytes = randomBytes(9 * MiB + 5);
    const path = join(folder, `damaged-${known}.bin`);
    writeFileSync(path, bytes);
    const [{ documentId, versionId }] = (await quasar(['put', path, '--json'])).json as [
      { documentId: string; versionId: string },
    ];
    flipOnDisk(bytes.subarray(8 * MiB + 100, 8 * MiB + 200));
    if (known) t.equal((await quasar(['get', documentId])).code, 6);
    const again = await quasar(['put', path, '--json']);
    t.match([again.code, again.json], [0, [{ documentId, fresh: true }]], again.stderr);
    for (const version of [versionId, again.json[0]?.versionId as string]) {
      t.ok((await quasar(['get', documentId, '--version', version])).stdout.equals(bytes), 'the earlier version is whole too');
    }
    t.match((await quasar(['put', path, '--as-version', documentId, '--json'])).json, [{ documentId, fresh: false }]);
  });
}

/** Flips a bit of the stored record in which these bytes lie. */
function flipOnDisk(bytes: Buffer): void {
  for (const name of readdirSync(join(product.data, 'node', 'seg'))) {
    const path = join(product.data, 'node', 'seg', name);
    const at = readFileSync(path).indexOf(bytes);
    if (at < 0) continue;
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.from([(bytes[0] as number) ^ 1]), 0, 1, at);
    closeSync(file);
    return;
  }
  throw new Error('The bytes are not in a segment.');
}
