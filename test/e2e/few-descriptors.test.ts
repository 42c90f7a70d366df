import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { Product } from '../helpers/product.ts';
import { RawClient } from '../helpers/raw-http.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

t.test('600 idle connections with 300 descriptors keep neither requests nor segments out', async (t) => {
  const nodeProgram = join(temporaryFolder(t), 'node');
  writeFileSync(nodeProgram, `#!/bin/sh\nulimit -n 300\nexec '${process.execPath}' "$@"\n`);
  chmodSync(nodeProgram, 0o755);
  const config = temporaryFolder(t);
  writeFileSync(join(config, 'storage.conf'), 'segmentSize = 64MiB\nspareSegments = 0\n');
  const product = await Product.start({ nodeProgram, config });
  t.teardown(() => product.destroy());
  const idle = await Promise.all(Array.from({ length: 600 }, () => RawClient.connect(product.port)));
  t.teardown(() => {
    for (const client of idle) client.destroy();
  });
  const before = segmentsOf(product).length;
  for (let round = 0; round < 2; round++) {
    const bytes = patternBytes(70_000_000, round);
    const stored = await product.fetch('/v1/documents', { method: 'POST', body: bytes });
    t.equal(stored.status, 201);
    const { documentId } = (await stored.json()) as { documentId: string };
    const read = await product.fetch(`/v1/documents/${documentId}/content`);
    t.equal(sha256(Buffer.from(await read.arrayBuffer())), sha256(bytes));
  }
  t.ok(segmentsOf(product).length >= before + 2, 'segments were full, and others opened');
  t.equal((await product.fetch('/v1/ready')).status, 200);
  t.notMatch(product.output, /EMFILE/);
});

const SEGMENT = /^[0-9a-f]{16}\.seg$/;

function segmentsOf({ data }: Product): string[] {
  return readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) => SEGMENT.test(basename(name)));
}
