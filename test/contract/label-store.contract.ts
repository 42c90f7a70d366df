import type t from 'tap';
import type { VersionCommit, VersionCommitter } from '../../src/catalog/catalog.ts';
import type { LabelStore } from '../../src/catalog/label-store.ts';
import type { Actor } from '../../src/core/actor.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type DocumentId, newId, type VersionId } from '../../src/core/ids.ts';
import { deedsOf, type ReadNoted } from '../helpers/noted-events.ts';
import { versionWish } from '../helpers/version-wish.ts';

export interface LabelStoreUnderTest {
  readonly labels: LabelStore;
  readonly committer: VersionCommitter;
  /** Two orgs that must not see each other. */
  readonly scope: Actor;
  readonly stranger: Actor;
  /** What its changes have left in the audit log. */
  readonly noted: ReadNoted;
}

type Test = Pick<typeof t, 'test'>;

const T0 = Date.UTC(2026, 0, 5, 9);
const all = { limit: 100, after: undefined };

/** What every LabelStore must do, whatever it is made of. */
export function labelStoreContract(test: Test, { labels, committer, scope, stranger, noted }: LabelStoreUnderTest): void {
  /** A document with versions that were made a second apart, from T0 on. */
  async function storeVersions(count: number, changes: Partial<VersionCommit> = {}) {
    const { documentId } = versionWish();
    const versions: VersionId[] = [];
    for (let n = 0; n < count; n += 1) {
      const wish = versionWish({ documentId, newDocument: n === 0, createdAtMs: T0 + n * 1000, ...changes });
      await committer.commit(scope, wish);
      versions.push(wish.versionId);
    }
    const [first, second, third] = versions as [VersionId, VersionId, VersionId];
    const move = (label: string, versionId: VersionId, expected: VersionId | undefined, atMs: number) =>
      labels.moveLabel(scope, { documentId, label, versionId, expected, reason: undefined, atMs });
    const at = (label: string, atMs?: number) => labels.findLabel(scope, { documentId, label, atMs });
    return { documentId, first, second, third, move, at };
  }

  test.test('a label stood where it was put last by then, though the clock went back an hour and forth', async (t) => {
    const HOUR = 3_600_000;
    const { documentId } = versionWish();
    const commit = async (createdAtMs: number, newDocument = false) => {
      const wish = versionWish({ documentId, newDocument, createdAtMs });
      await committer.commit(scope, wish);
      return wish.versionId;
    };
    const at = (atMs: number, nowMs: number) => labels.findLabel(scope, { documentId, label: 'CURRENT', atMs, nowMs });
    const first = await commit(T0, true);
    const second = await commit(T0 - HOUR);
    const third = await commit(T0 + 1000);
    const now = T0 + 2000;
    t.equal(await at(T0 - HOUR, now), undefined, 'before the document was there');
    t.strictSame([await at(T0, now), await at(T0 + 500, now), await at(T0 + 1500, now)], [first, second, third]);

    const fast = await commit(T0 + HOUR);
    t.equal(await at(now, now), third, 'what is stamped ahead is not yet');
    const right = await commit(T0 + 3000);
    t.equal(await at(T0 + 3500, T0 + 4000), right, 'once the clock is right again, what is put counts at once');
    t.equal(await at(T0 + 2500, T0 + 4000), third);
    t.equal(await at(T0 + HOUR, T0 + 2 * HOUR), fast);
    t.equal(await at(T0 + 2 * HOUR, T0 + 3 * HOUR), right);
    t.equal(await labels.findLabel(scope, { documentId, label: 'CURRENT', atMs: undefined }), right);
  });

  test.test('a move leaves one event, and a refused or repeated one none', async (t) => {
    const { documentId, first, second } = await storeVersions(2);
    const wish = { documentId, label: 'filed', reason: 'Fits', atMs: T0 + 5000 };
    const set = { ...wish, versionId: first, expected: undefined };
    const moved = { ...wish, versionId: second, expected: first };
    const nowhere = { ...set, versionId: newId<VersionId>(systemClock) };
    for (const one of [set, set, nowhere, moved, moved, set]) await labels.moveLabel(scope, one);
    await labels.moveLabel(stranger, moved);
    const events = (await noted(scope)).filter(({ resource }) => resource.id === documentId);
    t.strictSame(
      events.slice(2).map(({ action, resource, detail }) => ({ action, version: resource.version, detail })),
      [
        { action: 'label.move', version: first, detail: { label: 'filed', from: null, to: first, reason: 'Fits' } },
        { action: 'label.move', version: second, detail: { label: 'filed', from: first, to: second, reason: 'Fits' } },
      ],
    );
    t.strictSame(await deedsOf(noted, stranger, documentId), []);
  });

  test.test('a new label is set when none is expected, and not over one that is there', async (t) => {
    const { first, second, move, at } = await storeVersions(2);
    t.equal(await at('sealed'), undefined);
    t.match(await move('sealed', first, undefined, T0 + 5000), { kind: 'moved', previous: undefined, movedAtMs: T0 + 5000 });
    t.strictSame(await move('sealed', second, undefined, T0 + 6000), { kind: 'label_moved', current: first });
    t.equal(await at('sealed'), first);
  });

  test.test('a label moves when it stands where it is expected, and tells where it stands when not', async (t) => {
    const { first, second, third, move, at } = await storeVersions(3);
    await move('filed', first, undefined, T0 + 5000);
    t.match(await move('filed', second, first, T0 + 6000), { kind: 'moved', previous: first });
    t.strictSame(await move('filed', third, first, T0 + 7000), { kind: 'label_moved', current: second });
    t.equal(await at('filed'), second);
  });

  test.test('a move that was made already is no conflict and leaves no second trace', async (t) => {
    const { documentId, first, second, move } = await storeVersions(2);
    await move('filed', first, undefined, T0 + 5000);
    await move('filed', second, first, T0 + 6000);
    t.strictSame(await move('filed', second, first, T0 + 7000), { kind: 'unchanged' });
    t.equal((await labels.listLabelMoves(scope, { documentId, label: 'filed' }, all)).items.length, 2);
  });

  test.test('of many that move a label at once, one does', async (t) => {
    const { first, second, third, move } = await storeVersions(3);
    await move('filed', first, undefined, T0 + 5000);
    const outcomes = await Promise.all([second, third].flatMap((to) => [move('filed', to, first, T0 + 6000)]));
    t.strictSame(outcomes.map(({ kind }) => kind).sort(), ['label_moved', 'moved']);
  });

  test.test('CURRENT moves back to an older version, and forth', async (t) => {
    const { documentId, first, second, move, at } = await storeVersions(2);
    t.match(await move('CURRENT', first, second, T0 + 5000), { kind: 'moved', previous: second });
    t.equal(await at('CURRENT'), first);
    const further = versionWish({ documentId, newDocument: false, createdAtMs: T0 + 6000 });
    const outcome = await committer.commit(scope, further);
    t.match(
      outcome,
      { kind: 'committed', version: { parents: [first] } },
      'the next version comes after the one that is current',
    );
  });

  test.test('a label is found where it stood at a time', async (t) => {
    const { first, second, third, move, at } = await storeVersions(3);
    await move('CURRENT', first, third, T0 + 9000);
    const stood = [];
    for (const ms of [T0 - 1, T0, T0 + 999, T0 + 1000, T0 + 2000, T0 + 8999, T0 + 9000]) stood.push(await at('CURRENT', ms));
    t.strictSame(stood, [undefined, first, first, second, third, third, first]);
    await move('sealed', second, undefined, T0 + 10_000);
    t.equal(await at('sealed', T0 + 9999), undefined);
    t.equal(await at('sealed', T0 + 10_000), second);
  });

  test.test('a document of one version was at that version since it was made', async (t) => {
    const { first, at } = await storeVersions(1);
    t.equal(await at('CURRENT', T0 - 1), undefined);
    t.equal(await at('CURRENT', T0), first);
  });

  test.test('a clock that goes back does not reorder what happened', async (t) => {
    const { documentId, first, second, move, at } = await storeVersions(2);
    await move('CURRENT', first, second, T0 - 60_000);
    await move('CURRENT', second, first, T0 - 70_000);
    t.equal(await at('CURRENT'), second);
    const { items } = await labels.listLabelMoves(scope, { documentId, label: 'CURRENT' }, all);
    t.strictSame(
      items.map(({ versionId }) => versionId),
      [second, first, second, first],
    );
    t.ok(items.every(({ movedAtMs }) => movedAtMs >= T0));
  });

  test.test('moves are listed latest first, page by page, from the making of the document on', async (t) => {
    const { documentId, first, second, third } = await storeVersions(3, { reason: 'Filed by hand' });
    const listed = [];
    let after: string | undefined;
    do {
      const page = await labels.listLabelMoves(scope, { documentId, label: 'CURRENT' }, { limit: 2, after });
      listed.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    const movedBy = scope.principalId;
    t.strictSame(listed, [
      { versionId: third, previous: second, reason: 'Filed by hand', movedBy, movedAtMs: T0 + 2000 },
      { versionId: second, previous: first, reason: 'Filed by hand', movedBy, movedAtMs: T0 + 1000 },
      { versionId: first, previous: undefined, reason: undefined, movedBy, movedAtMs: T0 },
    ]);
  });

  test.test('labels that a commit sets leave their moves too', async (t) => {
    const { documentId, first, second } = await storeVersions(2, { labels: ['filed'] });
    const { items } = await labels.listLabelMoves(scope, { documentId, label: 'filed' }, all);
    t.match(items, [
      { versionId: second, previous: first, movedAtMs: T0 + 1000 },
      { versionId: first, previous: undefined, movedAtMs: T0 },
    ]);
  });

  test.test('what is not there, or another org’s, cannot be labelled', async (t) => {
    const { documentId, first, second } = await storeVersions(2);
    const wish = { documentId, label: 'filed', versionId: first, expected: undefined, reason: undefined, atMs: T0 };
    const other = versionWish();
    await committer.commit(scope, other);
    t.strictSame(await labels.moveLabel(scope, { ...wish, versionId: other.versionId }), { kind: 'version_missing' });
    t.strictSame(await labels.moveLabel(scope, { ...wish, documentId: newId<DocumentId>(systemClock) }), {
      kind: 'document_missing',
    });
    t.strictSame(await labels.moveLabel(stranger, { ...wish, label: 'CURRENT', expected: second }), { kind: 'document_missing' });
    t.equal(await labels.findLabel(stranger, { documentId, label: 'CURRENT', atMs: undefined }), undefined);
    t.strictSame((await labels.listLabelMoves(stranger, { documentId, label: 'CURRENT' }, all)).items, []);
  });
}
