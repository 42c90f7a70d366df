import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { Product } from '../helpers/product.ts';
import { RawClient } from '../helpers/raw-http.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

t.test('600 idle connections with 300 descriptors keep neither requests nor segments out', async (t) => {
  const nodeProgram = join(temporaryFolder(t), 'node');
  writeFileSync(nodeProgram, `#!/bin/sh\nulimit -n 300\nexec '${process.execPath}' "$@"\n`);
  chmodSync(nodeProgram, 0o755);
  const product = await Product.start({ nodeProgram });
  t.teardown(() => product.destroy());
  const idle = await Promise.all(Array.from({ length: 600 }, () => RawClient.connect(product.port)));
  t.teardown(() => {
    for (const client of idle) client.destroy();
  });
  // More than a segment holds, so that others are opened.
  for (let round = 0; round < 4; round++) {
    const bytes = patternBytes(80_000_000, round);
    const stored = await product.fetch('/v1/documents', { method: 'POST', body: bytes });
    t.equal(stored.status, 201);
    const { documentId } = (await stored.json()) as { documentId: string };
    const read = await product.fetch(`/v1/documents/${documentId}/content`);
    t.equal(sha256(Buffer.from(await read.arrayBuffer())), sha256(bytes));
  }
  t.equal((await product.fetch('/v1/ready')).status, 200);
  t.notMatch(product.output, /EMFILE/);
});
