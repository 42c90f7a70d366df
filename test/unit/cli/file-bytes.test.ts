import { randomBytes } from 'node:crypto';
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { contentOf, FileBytes, readWhole } from '../../../src/cli/file-bytes.ts';
import type { OpenSource } from '../../../src/cli/put-source.ts';
import { blockIdOf } from '../../../src/core/blake3.ts';
import { limits } from '../../../src/core/limits.ts';
import { sha256 } from './contract-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'quasar-file-bytes-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();
const read = (open: OpenSource) => contentOf(open, { signal, withSha256: true });

/** A file whose file system says it has `size` bytes. */
function source(t: Test, bytes: Uint8Array, size: number): OpenSource & { readonly path: string } {
  const path = join(folder, `${randomBytes(6).toString('hex')}.bin`);
  writeFileSync(path, bytes);
  const descriptor = openSync(path, 'r');
  t.teardown(() => closeSync(descriptor));
  return { descriptor, size, path };
}

t.test('the end of the file decides how many bytes there are, whatever its size is said to be', async (t) => {
  for (const length of [0, 1, 23, 4096, limits.putSmallMax - 1]) {
    const bytes = randomBytes(length);
    for (const size of [0, 1, 22, 24, 4096, limits.putOneShotMax]) {
      const open = source(t, bytes, size);
      t.ok((await readWhole(open))?.equals(bytes), `${length} bytes where ${size} are said`);
      t.same(await read(open), { size: length, blake3: blockIdOf(bytes), sha256: sha256(bytes) });
    }
  }
});

t.test('a file that has more than it says is gathered up to a small file, and then left to a session', async (t) => {
  const bytes = randomBytes(limits.putSmallMax + 1);
  t.equal(await readWhole(source(t, bytes, 0)), undefined);
  t.equal(await readWhole(source(t, bytes, 4096)), undefined);
  t.ok((await readWhole(source(t, bytes, bytes.length)))?.equals(bytes), 'one that says so is read whole');
  t.ok((await readWhole(source(t, bytes, bytes.length + 1)))?.equals(bytes));
  t.equal((await read(source(t, bytes, 0))).size, bytes.length);
});

t.test('a file that changes while it is read is read again, and refused when it does not come to rest', async (t) => {
  const bytes = randomBytes(1000);
  const once = source(t, bytes, 1000);
  const reading = read(once);
  appendFileSync(once.path, 'more');
  t.match(await reading, { size: 1004, blake3: blockIdOf(Buffer.concat([bytes, Buffer.from('more')])) });

  const restless = source(t, bytes, 1000);
  let writing = true;
  const write = () => {
    if (!writing) return;
    appendFileSync(restless.path, randomBytes(limits.putReadSize));
    setImmediate(write);
  };
  write();
  await t.rejects(read(restless), { code: 'file_changed' }, 'also one that grows as fast as it is read');
  writing = false;
});

t.test('bytes that are sent are those that are there: a file cut or grown meanwhile is refused', async (t) => {
  const bytes = randomBytes(2 * limits.putReadSize);
  const cut = source(t, bytes, bytes.length);
  truncateSync(cut.path, 1000);
  await t.rejects(drain(new FileBytes(cut.descriptor, bytes.length)), { code: 'file_changed' });

  const grown = source(t, bytes, bytes.length);
  appendFileSync(grown.path, 'more');
  utimesSync(grown.path, 0, 0);
  const reader = new FileBytes(grown.descriptor, bytes.length);
  t.ok((await drain(reader)).equals(bytes));
  await t.rejects(reader.sha256(), { code: 'file_changed' });
});

t.test('offsets beyond 4 GiB are read where they lie, holes as zeros', async (t) => {
  const size = 2 ** 32 + 100_000;
  const sparse = source(t, Buffer.alloc(0), 0);
  truncateSync(sparse.path, size);
  appendFileSync(sparse.path, 'the end');
  const tail = await drain(new FileBytes(sparse.descriptor, size + 7), size - 3, false);
  t.same(tail, Buffer.from('\0\0\0the end'));
});

async function drain(reader: FileBytes, offset = 0, hashed = true): Promise<Buffer> {
  const parts: Buffer[] = [];
  try {
    for await (const chunk of reader.from(offset)) parts.push(Buffer.from(chunk));
  } finally {
    if (!hashed) await reader.settle();
  }
  return Buffer.concat(parts);
}
