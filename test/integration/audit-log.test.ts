import t from 'tap';
import type { EventFilter } from '../../src/audit/audit-log.ts';
import { encodeEvent } from '../../src/audit/event.ts';
import { equalHashes, hashLeaf } from '../../src/audit/merkle-hash.ts';
import { verifyConsistency, verifyInclusion } from '../../src/audit/merkle-proof.ts';
import { verifyLog } from '../../src/audit/verify-log.ts';
import { limits } from '../../src/core/limits.ts';
import { eventOf, eventsOf, openAuditDatabase, signerOf } from '../helpers/audit-database.ts';
import { rootOf } from '../helpers/audit-log-fixture.ts';

const { log, sequencer, newLog, append, write, sequence, verify, admin } = await openAuditDatabase(t);
const DOCUMENT = '018f0000-0000-7000-8000-00000000d0c0';
const PERSON = '018f0000-0000-7000-8000-0000000000bb';
const at = (index: number) => 1_790_000_000_000 + index * 1000;

t.test('events are found by what they were about, who, what and when, latest first and page by page', async (t) => {
  const scope = await newLog();
  await write(scope, [
    ...eventsOf(scope, 0, 5),
    eventOf(scope, 5, { resource: { kind: 'document', id: DOCUMENT } }),
    eventOf(scope, 6, { resource: { kind: 'document', id: DOCUMENT }, action: 'label.move' }),
    eventOf(scope, 7, { principal: { kind: 'user', id: PERSON } }),
    eventOf(scope, 8, { principal: { kind: 'user', id: PERSON }, action: 'label.move' }),
    eventOf(scope, 9),
  ]);
  const find = async (filter: EventFilter) => {
    const { items } = await log.listEvents(scope, filter, { limit: 100, after: undefined });
    return items.map(({ leaf }) => leaf);
  };
  t.strictSame(await find({}), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  t.strictSame(await find({ resourceId: DOCUMENT }), [6, 5]);
  t.strictSame(await find({ principalId: PERSON }), [8, 7]);
  t.strictSame(await find({ action: 'label.move' }), [8, 6]);
  t.strictSame(await find({ fromMs: at(3), untilMs: at(6) }), [5, 4, 3]);
  t.strictSame(await find({ resourceId: DOCUMENT, action: 'label.move', fromMs: at(0) }), [6]);
  t.strictSame(await find({ resourceId: DOCUMENT, principalId: PERSON }), []);

  const seen: number[] = [];
  let after: string | undefined;
  do {
    const page = await log.listEvents(scope, { untilMs: at(9) }, { limit: 4, after });
    seen.push(...page.items.map(({ leaf }) => leaf));
    after = page.next;
  } while (after !== undefined);
  t.strictSame(seen, [8, 7, 6, 5, 4, 3, 2, 1, 0]);
});

t.test('a page of large events ends where its bytes do, and the next one goes on behind it', async (t) => {
  const scope = await newLog();
  const detail = { text: 'x'.repeat(limits.auditDetailMax - 100) };
  const count = Math.ceil((1.5 * limits.pageBytesMax) / limits.auditDetailMax);
  await write(
    scope,
    Array.from({ length: count }, (_, index) => eventOf(scope, index, { detail })),
  );
  const first = await log.listEvents(scope, {}, { limit: 1000, after: undefined });
  t.ok(first.items.length < count);
  const second = await log.listEvents(scope, {}, { limit: 1000, after: first.next });
  t.equal(second.next, undefined);
  t.strictSame(
    [...first.items, ...second.items].map(({ leaf }) => leaf),
    Array.from({ length: count }, (_, index) => count - 1 - index),
  );
});

t.test('an event comes as it was stored', async (t) => {
  const scope = await newLog();
  const event = eventOf(scope, 0, { detail: { text: 'Ü \u2028', number: 1e21 } });
  await write(scope, [event]);
  const found = await log.findLeaf(scope, 0);
  t.strictSame(found?.event, event);
  t.strictSame(Buffer.from(found?.bytes ?? []), encodeEvent(event));
  t.ok(equalHashes(found?.hash ?? Buffer.alloc(0), hashLeaf(encodeEvent(event))));
  t.equal(await log.findLeaf(scope, 1), undefined);
});

t.test('a log of another org is not seen', async (t) => {
  const [scope, stranger] = [await newLog(), await newLog()];
  await write(scope, eventsOf(scope, 0, 3));
  t.equal(await log.getSize(stranger), 0);
  t.equal(await log.findLeaf(stranger, 0), undefined);
  t.equal(await log.findCheckpoint(stranger), undefined);
  t.match(await verify(stranger), { size: 0, findings: [{ kind: 'no-checkpoint' }] });
});

t.test('every leaf is proved in every size, and every size in every later one', async (t) => {
  const scope = await newLog();
  const events = eventsOf(scope, 0, 13);
  for (const part of [events.slice(0, 1), events.slice(1, 6), events.slice(6)]) await write(scope, part);
  const bytes = events.map(encodeEvent);
  for (let size = 1; size <= 13; size++) {
    const root = rootOf(bytes.slice(0, size));
    for (let leaf = 0; leaf < size; leaf++) {
      const inclusion = await log.proveInclusion(scope, leaf, size);
      t.ok(verifyInclusion({ leaf, size, leafHash: hashLeaf(bytes[leaf] as Buffer), root }, inclusion.proof));
      t.ok(equalHashes(inclusion.root, root));
    }
    for (let first = 0; first <= size; first++) {
      const proof = await log.proveConsistency(scope, first, size);
      t.ok(verifyConsistency({ size: first, root: rootOf(bytes.slice(0, first)) }, { size, root }, proof));
    }
  }
  t.match(await log.findCheckpoint(scope), { size: 13 });
  t.match(await log.findCheckpoint(scope, 12), { size: 6 });
  t.equal(await log.findCheckpoint(scope, 0), undefined);
});

t.test('proofs for what is not there are refused', async (t) => {
  const scope = await newLog();
  await write(scope, eventsOf(scope, 0, 4));
  for (const [leaf, size] of [
    [4, 4],
    [0, 5],
    [-1, 4],
  ] as const) {
    await t.rejects(log.proveInclusion(scope, leaf, size), { code: 'bad_parameter' });
  }
  for (const [first, second] of [
    [3, 2],
    [0, 5],
    [0.5, 4],
  ] as const) {
    await t.rejects(log.proveConsistency(scope, first, second), { code: 'bad_parameter' });
  }
  await admin.query('DELETE FROM audit.subtree WHERE org_id = $1', [scope.orgId]);
  await t.rejects(log.proveInclusion(scope, 0, 4), { code: 'corrupt' });
});

t.test('an export of several pages has each checkpoint behind its last leaf, and ends where it began to be read', async (t) => {
  const scope = await newLog();
  const size = 2 * limits.auditExportPageMax;
  for (const end of [1, limits.auditExportPageMax, limits.auditExportPageMax + 1, size]) {
    await write(scope, eventsOf(scope, await log.getSize(scope), end));
  }
  const lines: string[] = [];
  for await (const line of log.exportLines(scope)) {
    if (lines.push(line) === 1) await write(scope, eventsOf(scope, size, size + 10));
  }
  const { verifier } = signerOf(scope.orgId);
  t.match(await verifyLog(lines, { trusted: [verifier] }), { ok: true, size, signedSize: size, findings: [] });
  t.equal(lines.length, 1 + size + 4);
  t.match(await verify(scope), { ok: true, size: size + 10 });
});

t.test('an export ends at the last checkpoint, unless the events behind it are asked for', async (t) => {
  const scope = await newLog();
  await write(scope, eventsOf(scope, 0, 3));
  await append(scope, eventsOf(scope, 3, 5));
  await sequence();
  t.match(await verify(scope), { ok: true, size: 5, signedSize: 3 });
  const { verifier } = signerOf(scope.orgId);
  t.match(await verifyLog(log.exportLines(scope), { trusted: [verifier] }), { verdict: 'whole', size: 3, unsigned: 0 });
  const young = await newLog();
  await append(young, eventsOf(young, 0, 2));
  await sequence();
  const all = await verifyLog(log.exportLines(young), { trusted: [signerOf(young.orgId).verifier] });
  t.match(all, { verdict: 'unproven', size: 2, findings: [{ kind: 'no-checkpoint' }] }, 'while nothing is signed all there is');
  await sequencer.sign();
  t.match(await verify(scope), { ok: true, size: 5, signedSize: 5 });
});
