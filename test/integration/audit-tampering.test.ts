import t from 'tap';
import { encodeEvent } from '../../src/audit/event.ts';
import { hashLeaf } from '../../src/audit/merkle-hash.ts';
import { TreeFrontier } from '../../src/audit/merkle-tree.ts';
import type { Scope } from '../../src/core/ids.ts';
import { eventOf, eventsOf, openAuditDatabase } from '../helpers/audit-database.ts';

/** What somebody with all rights in the database can do to a log, and what is found of it by its export. */

const { admin, log, sequencer, newLog, append, write, sequence, verify } = await openAuditDatabase(t);

/** 20 events, checkpoints at 10 and 20. */
async function signedLog(): Promise<{ scope: Scope; kept: string }> {
  const scope = await newLog();
  await write(scope, eventsOf(scope, 0, 10));
  await write(scope, eventsOf(scope, 10, 20));
  t.match(await verify(scope), { ok: true, size: 20, signedSize: 20 });
  return { scope, kept: (await log.findCheckpoint(scope))?.note ?? '' };
}

async function edit(scope: Scope, leaf: number): Promise<Buffer> {
  const bytes = encodeEvent(eventOf(scope, leaf, { outcome: 'denied', reason: 'rewritten' }));
  const at = 'SELECT l.xid, l.seq FROM audit.leaf l WHERE l.org_id = $1 AND l.leaf = $2';
  await admin.query(`UPDATE audit.event SET bytes = $3 WHERE org_id = $1 AND (xid, seq) IN (${at})`, [scope.orgId, leaf, bytes]);
  return bytes;
}

/** Hashes that fit what the events are now. */
async function rebuildTree(scope: Scope): Promise<void> {
  const frontier = TreeFrontier.empty();
  for (let leaf = 0, found = await log.findLeaf(scope, 0); found; found = await log.findLeaf(scope, ++leaf)) {
    const hash = hashLeaf(found.bytes);
    await admin.query('UPDATE audit.leaf SET hash = $3 WHERE org_id = $1 AND leaf = $2', [scope.orgId, leaf, hash]);
    for (const { level, index, hash: node } of frontier.append(hash)) {
      const values = [scope.orgId, level, index, node];
      await admin.query('UPDATE audit.subtree SET hash = $4 WHERE org_id = $1 AND level = $2 AND index = $3', values);
    }
  }
}

async function deleteFrom(
  scope: Scope,
  leaf: number,
  tables: readonly ('event' | 'leaf' | 'subtree' | 'checkpoint')[],
): Promise<void> {
  const of: Record<string, string> = {
    event: '(xid, seq) IN (SELECT l.xid, l.seq FROM audit.leaf l WHERE l.org_id = $1 AND l.leaf >= $2)',
    leaf: 'leaf >= $2',
    subtree: '(index + 1) * (1::bigint << level) > $2',
    checkpoint: 'size > $2',
  };
  for (const table of tables)
    await admin.query(`DELETE FROM audit.${table} WHERE org_id = $1 AND ${of[table]}`, [scope.orgId, leaf]);
}

/** The leaves are where they are; each has what the other's hash was. */
async function swapHashes(scope: Scope, one: number, other: number): Promise<void> {
  const text = `UPDATE audit.leaf l SET hash = o.hash FROM audit.leaf o
                 WHERE l.org_id = $1 AND o.org_id = $1 AND l.leaf IN ($2, $3) AND o.leaf = $2::bigint + $3::bigint - l.leaf`;
  await admin.query(text, [scope.orgId, one, other]);
}

t.test('an edited event is found, by its number', async (t) => {
  const { scope } = await signedLog();
  await edit(scope, 6);
  const { findings, findingCount, signedSize } = await verify(scope);
  t.match(findings, [
    { kind: 'edited-event', leaf: 6 },
    { kind: 'root-mismatch', leaf: 0, end: 10 },
  ]);
  t.equal(findingCount, 2);
  t.equal(signedSize, 0);
});

t.test('an edited event with its hash and the whole tree made to fit is found between two checkpoints', async (t) => {
  const { scope, kept } = await signedLog();
  await edit(scope, 16);
  await rebuildTree(scope);
  const expected = [{ kind: 'root-mismatch', leaf: 10, end: 20 }];
  t.match((await verify(scope)).findings, expected);
  await append(scope, [eventOf(scope, 20)]);
  await sequence();
  t.match(await sequencer.sign(), { failures: 1 }, 'the log signs nothing behind it');
  await deleteFrom(scope, 10, ['checkpoint']);
  t.match((await verify(scope)).findings, [], 'without that checkpoint nobody can know');
  t.match((await verify(scope, [kept])).findings, expected, 'but who kept it');
});

t.test('a deleted tail is found by its checkpoint', async (t) => {
  const { scope } = await signedLog();
  await deleteFrom(scope, 15, ['event', 'subtree', 'leaf']);
  const { findings, findingCount } = await verify(scope);
  t.match(findings, [{ kind: 'deleted-tail', leaf: 15, end: 20 }]);
  t.equal(findingCount, 1);
  t.match(await sequencer.sign(), { failures: 1 });
});

t.test('events that were deleted from under their leaves are found', async (t) => {
  const { scope } = await signedLog();
  await deleteFrom(scope, 15, ['event']);
  t.match((await verify(scope)).findings, [{ kind: 'deleted-tail', leaf: 15, end: 20 }]);
  const other = await signedLog();
  const at = 'SELECT l.xid, l.seq FROM audit.leaf l WHERE l.org_id = $1 AND l.leaf = 4';
  await admin.query(`DELETE FROM audit.event WHERE org_id = $1 AND (xid, seq) IN (${at})`, [other.scope.orgId]);
  t.match((await verify(other.scope)).findings, [{ kind: 'gap', leaf: 4, end: 5 }]);
});

t.test('a tail that was deleted with its checkpoint is found by who kept that', async (t) => {
  const { scope, kept } = await signedLog();
  await deleteFrom(scope, 10, ['event', 'subtree', 'leaf', 'checkpoint']);
  t.match(await verify(scope), { ok: true, size: 10, signedSize: 10 });
  t.match((await verify(scope, [kept])).findings, [{ kind: 'deleted-tail', leaf: 10, end: 20 }]);
});

t.test('two leaves that changed places are found, with their hashes and without', async (t) => {
  for (const keepsHash of [true, false]) {
    const { scope } = await signedLog();
    const move = (from: number, to: number) =>
      admin.query('UPDATE audit.leaf SET leaf = $3 WHERE org_id = $1 AND leaf = $2', [scope.orgId, from, to]);
    await move(12, 999);
    await move(14, 12);
    await move(999, 14);
    if (!keepsHash) await swapHashes(scope, 12, 14);
    const { findings } = await verify(scope);
    t.match(findings[0], { kind: 'reordered-pair', leaf: 12, end: 14 });
  }
});

t.test('another history, signed with the key of the log, is found by who kept a checkpoint', async (t) => {
  const { scope, kept } = await signedLog();
  await deleteFrom(scope, 10, ['event', 'subtree', 'leaf', 'checkpoint']);
  await write(scope, eventsOf(scope, 110, 120));
  t.match(await verify(scope), { ok: true, size: 20, signedSize: 20 }, 'in itself it is whole');
  t.match((await verify(scope, [kept])).findings, [{ kind: 'forked-log', leaf: 20 }]);
  await write(scope, eventsOf(scope, 120, 130));
  t.match((await verify(scope, [kept])).findings, [{ kind: 'forked-log', leaf: 20 }], 'however it goes on');
});
