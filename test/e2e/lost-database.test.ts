import { spawnSync } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { Product } from '../helpers/product.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

t.test(
  'with the database gone, segments list and restore every blob, and the next start goes on without only when it is told to',
  async (t) => {
    const first = await Product.start();
    t.notMatch(first.output, /database is empty/, 'a new node has nothing to miss');
    const bytes = patternBytes(3 * 1024 * 1024 + 5, 31);
    const posted = await first.fetch('/v1/documents?filename=deed.pdf', { method: 'POST', body: bytes });
    const { contentRef } = (await posted.json()) as { contentRef: { key: string } };
    t.equal(await first.stop(), 0);
    await rm(join(first.data, 'postgres'), { recursive: true });

    const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { maxBuffer: 64 * 1024 * 1024 });
    const listed = run('ls', '--segments', '--data', first.data);
    t.match(listed.stdout.toString(), /deed\.pdf/);
    const restored = run('get', contentRef.key, '--segments', '--data', first.data);
    t.equal(sha256(restored.stdout), sha256(bytes));

    // The disk of the database is not mounted, or the database is lost.
    const refusal = /The database is empty, but the storage node .* holds documents.*--accept-empty-database/s;
    await t.rejects(Product.start({ data: first.data }), { message: refusal });
    await t.rejects(Product.start({ data: first.data }), { message: refusal }, 'also with what the first of them has made');
    const second = await Product.start({ data: first.data, flags: ['--accept-empty-database'] });
    t.teardown(() => second.destroy());
    t.match(second.output, /The database is empty, but the storage node holds documents/);

    // The disk of the node is not mounted: the folder is empty.
    t.equal(await second.stop(), 0);
    await rename(join(first.data, 'node'), join(first.data, 'away'));
    await t.rejects(Product.start({ data: first.data }), { message: /The database belongs to storage node .*--accept-node/s });
    await rm(join(first.data, 'node'), { recursive: true });
    await rename(join(first.data, 'away'), join(first.data, 'node'));
    const third = await Product.start({ data: first.data });
    t.teardown(() => third.destroy());
    t.equal((await third.fetch('/v1/ready')).status, 200);
  },
);
