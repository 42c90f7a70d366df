import t from 'tap';
import { QuasarError } from '../../../src/core/errors.ts';
import { type DocumentId, newId, type VersionId } from '../../../src/core/ids.ts';
import type { VersionWish } from '../../../src/upload/commit.ts';
import { type OneShotRequest, storeOneShot } from '../../../src/upload/one-shot.ts';
import { blobKey, patternBytes, sha256 } from '../../helpers/bytes.ts';
import { type OpenUploads, openUploads, storedBytes, testScope } from '../../helpers/open-uploads.ts';
import { chunksOf, ScriptedSource } from '../../helpers/scripted-source.ts';

const MiB = 1024 * 1024;
const content = patternBytes(4 * MiB, 3);

function requestOf(world: OpenUploads, size: number, changes: Partial<OneShotRequest> = {}) {
  const wish: VersionWish = {
    documentId: newId<DocumentId>(world.deps.clock),
    newDocument: true,
    expectedVersionId: undefined,
    versionId: newId<VersionId>(world.deps.clock),
    filename: undefined,
    contentType: 'application/octet-stream',
    reason: undefined,
    labels: [],
    idempotency: undefined,
    upload: undefined,
  };
  const source = new ScriptedSource(chunksOf(content.subarray(0, size), [300_000]));
  const request: OneShotRequest = { source, describe: () => wish, digests: [], observe: undefined, verify: () => {}, ...changes };
  return { wish, source, request };
}

for (const chunker of ['fixed-1m', 'fastcdc-v1'] as const) {
  t.test(`${chunker}: what is sent at once is stored, at every size around a block`, async (t) => {
    const world = await openUploads(t, { chunker });
    for (const size of [0, 1, 64 * 1024, 64 * 1024 + 1, MiB - 1, MiB, MiB + 1, 2 * MiB, 3_333_333]) {
      const { wish, request } = requestOf(world, size);
      const outcome = await storeOneShot(testScope, request, world.deps);
      const sent = content.subarray(0, size);
      t.match(outcome, { kind: 'committed', version: { blob: { key: blobKey(sent), sha256: sha256(sent), size } } });
      t.ok((await storedBytes(world, wish.documentId)).equals(sent), `${size} bytes`);
      t.equal(world.slab.uploadSlots, 0);
    }
  });
}

t.test('what fails on the way leaves nothing visible and no slot behind', async (t) => {
  const world = await openUploads(t);
  const refuse = () => {
    throw new QuasarError('digest_mismatch', { op: 'test' });
  };
  const failures: [Partial<OneShotRequest>, string][] = [
    [{ verify: refuse }, 'digest_mismatch'],
    [{ digests: [{ sha256: '0'.repeat(64) }] }, 'digest_mismatch'],
    [{ describe: refuse }, 'digest_mismatch'],
  ];
  for (const size of [1000, 3 * MiB]) {
    for (const [changes, code] of failures) {
      const { wish, request } = requestOf(world, size, changes);
      await t.rejects(storeOneShot(testScope, request, world.deps), { code });
      t.equal(await world.catalog.findVersion(testScope, wish.documentId), undefined);
    }
    const { wish, source, request } = requestOf(world, size);
    source.vanishes = true;
    await t.rejects(storeOneShot(testScope, request, world.deps), { code: 'cancelled' });
    t.equal(await world.catalog.findVersion(testScope, wish.documentId), undefined);
  }
  t.equal(world.slab.uploadSlots, 0);
  t.equal(world.admission.active, 0);
});
