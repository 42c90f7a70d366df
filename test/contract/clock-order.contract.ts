import type t from 'tap';
import type { Catalog, VersionCommitter, VersionFacts } from '../../src/catalog/catalog.ts';
import type { Actor } from '../../src/core/actor.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { DocumentId, VersionId } from '../../src/core/ids.ts';
import { versionIdAt, versionWish } from '../helpers/version-wish.ts';

export interface CatalogUnderClocks {
  readonly catalog: Catalog;
  readonly committer: VersionCommitter;
  readonly scope: Actor;
}

/** What every catalog must do, however wrong the clocks of those who commit are. */
export function clockOrderContract(test: Pick<typeof t, 'test'>, { catalog, committer, scope }: CatalogUnderClocks): void {
  test.test(
    'what was committed last is listed first, and no version is stamped before the one it follows, whatever the clock says',
    async (t) => {
      const HOUR = 3_600_000;
      const now = systemClock.now();
      // Ids and stamps as a clock gives them that is an hour slow for a while, then an hour fast, then right.
      const stamps = [0, -HOUR, -HOUR + 1, 10, HOUR, 20, 20].map((offset) => now + 2 * HOUR + offset);
      const documents = [versionWish(), versionWish()].map(({ documentId }) => documentId) as [DocumentId, DocumentId];
      const ids: VersionId[] = [];
      for (const [n, createdAtMs] of stamps.entries()) {
        const wish = { documentId: documents[0], newDocument: n === 0, versionId: versionIdAt(createdAtMs), createdAtMs };
        const outcome = await committer.commit(scope, versionWish(wish));
        t.equal(outcome.kind, 'committed');
        if (outcome.kind !== 'committed') return;
        ids.unshift(wish.versionId);
        t.strictSame(outcome.version, await catalog.findVersion(scope, wish.documentId), 'the stamp that was answered is kept');
      }
      const listed: VersionFacts[] = [];
      for (let after: string | undefined; ; ) {
        const page = await catalog.listVersions(scope, documents[0], { limit: 2, after });
        listed.push(...page.items);
        after = page.next;
        if (after === undefined) break;
      }
      t.strictSame(
        listed.map(({ versionId }) => versionId),
        ids,
      );
      const times = listed.map(({ createdAtMs }) => createdAtMs);
      t.ok(
        times.slice(1).every((time, n) => time < (times[n] as number)),
        'each is later than the one before, by a millisecond at least',
      );
      t.equal(times.at(-2), (times.at(-1) as number) + 1);
      const late = { createdAtMs: now - HOUR, versionId: versionIdAt(now - HOUR) };
      await committer.commit(scope, versionWish({ documentId: documents[1], ...late }));
      const { items } = await catalog.listDocuments(scope, { limit: 2, after: undefined });
      t.strictSame(
        items.map(({ documentId }) => documentId),
        [documents[1], documents[0]],
      );
    },
  );
}
