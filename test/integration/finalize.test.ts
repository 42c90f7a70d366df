import t from 'tap';
import type { VersionCommit } from '../../src/catalog/catalog.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { PostgresVersionCommitter } from '../../src/catalog/postgres-version-committer.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { BlockId } from '../../src/core/digest.ts';
import { PostgresSessionStore } from '../../src/upload/postgres-session-store.ts';
import type { UploadSession } from '../../src/upload/session.ts';
import { newSession } from '../contract/session-store.contract.ts';
import { openTestDatabase } from '../helpers/postgres.ts';
import { digits, versionWish } from '../helpers/version-wish.ts';

const { pool, admin, scope } = await openTestDatabase(t);
const clock = systemClock;
const catalog = new PostgresCatalog(pool);
const committer = new PostgresVersionCommitter({ pool, catalog, clock });
const sessions = new PostgresSessionStore({ pool, clock });

async function sealedSession(): Promise<UploadSession> {
  const session = newSession(clock);
  await sessions.create(scope, { session, attached: undefined, idempotency: undefined });
  const { uploadId, fence } = session;
  const block = { id: digits('block') as BlockId, size: 10 };
  await sessions.checkpoint(scope, { uploadId, fence, offset: 10, fromBlock: 0, blocks: [block], piece: undefined });
  await sessions.seal(scope, uploadId, fence);
  return session;
}

function finishing({ uploadId, documentId, fence }: UploadSession, fingerprint = 'args'): VersionCommit {
  return versionWish({ documentId, upload: { uploadId, fence, fingerprint } });
}

t.test('the commit of a version ends its session, which keeps the answer', async (t) => {
  const session = await sealedSession();
  const wish = finishing(session);
  t.match(await committer.commit(scope, wish), { kind: 'committed', version: { versionId: wish.versionId } });
  const after = await sessions.find(scope, session.uploadId);
  t.match(after, { state: 'committed', result: { versionId: wish.versionId, fingerprint: 'args' } });
  const { rows } = await admin.query('SELECT FROM quasar.upload_checkpoint WHERE upload_id = $1', [session.uploadId]);
  t.equal(rows.length, 0, 'the block list is in the manifest now');
  await t.rejects(sessions.takeOver(scope, session.uploadId), { code: 'upload_closed' });
});

t.test('of many that finalise at once, one commits and the others repeat its answer', async (t) => {
  const session = await sealedSession();
  // Committers of their own stand for processes of their own.
  const rivals = Array.from({ length: 6 }, () => new PostgresVersionCommitter({ pool, catalog, clock }));
  const outcomes = await Promise.all(
    [...rivals, ...rivals].map(async (rival) => {
      const outcome = await rival.commit(scope, finishing(session));
      return { kind: outcome.kind, versionId: 'version' in outcome && outcome.version.versionId };
    }),
  );
  t.equal(outcomes.filter(({ kind }) => kind === 'committed').length, 1);
  t.equal(outcomes.filter(({ kind }) => kind === 'repeated').length, 11);
  t.equal(new Set(outcomes.map(({ versionId }) => versionId)).size, 1);
  const page = await catalog.listVersions(scope, session.documentId, { limit: 5, after: undefined });
  t.equal(page.items.length, 1);
});

t.test('other arguments after the commit change nothing', async (t) => {
  const session = await sealedSession();
  await committer.commit(scope, finishing(session));
  t.strictSame(await committer.commit(scope, finishing(session, 'other args')), { kind: 'fence_lost' });
});

t.test('a commit under an older fence, of an open session or of none is refused', async (t) => {
  const session = await sealedSession();
  await sessions.takeOver(scope, session.uploadId);
  await sessions.seal(scope, session.uploadId, session.fence + 1);
  t.strictSame(await committer.commit(scope, finishing(session)), { kind: 'fence_lost' });
  t.equal(await catalog.findDocument(scope, session.documentId), undefined);

  await sessions.reopen(scope, session.uploadId, session.fence + 1);
  t.strictSame(await committer.commit(scope, finishing({ ...session, fence: session.fence + 1 })), { kind: 'fence_lost' });
  t.strictSame(await committer.commit(scope, finishing(newSession(clock))), { kind: 'fence_lost' });
});

t.test('a commit and a take-over at once: one of them wins', async (t) => {
  for (let round = 0; round < 10; round++) {
    const session = await sealedSession();
    const [outcome, taken] = await Promise.allSettled([
      committer.commit(scope, finishing(session)),
      sessions.takeOver(scope, session.uploadId),
    ]);
    const won = outcome.status === 'fulfilled' && outcome.value.kind === 'committed';
    t.equal(taken.status, won ? 'rejected' : 'fulfilled');
  }
});
