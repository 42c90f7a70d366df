import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openCheckpoint } from '../../src/audit/checkpoint.ts';
import { AUDIT_EVENT_VERSION, decodeEvent, encodeEvent } from '../../src/audit/event.ts';
import { EXPORT_FORMAT, type LeafLine, parseExportLine } from '../../src/audit/export-line.ts';
import { findingKinds } from '../../src/audit/finding.ts';
import { hashLeaf } from '../../src/audit/merkle-hash.ts';
import { verifyConsistency, verifyInclusion } from '../../src/audit/merkle-proof.ts';
import { proveConsistency, proveInclusion } from '../../src/audit/merkle-tree.ts';
import { type NoteVerifier, parseNoteVerifier } from '../../src/audit/note-key.ts';
import { verifyLog } from '../../src/audit/verify-log.ts';
import { auditActions, auditPrincipalKinds, auditResourceKinds } from '../../src/core/audit-action.ts';
import { limits } from '../../src/core/limits.ts';
import { exportOf, origin } from '../helpers/audit-log-fixture.ts';
import { MemoryTreeHashes } from '../helpers/merkle-reference.ts';
import { repository } from '../helpers/source-files.ts';
import { goldenEvents, goldenEvents2 } from './golden/generate-audit-v1.ts';

const specification = readFileSync(join(repository, 'docs/format/audit-v1.md'), 'utf8');
const golden = (name: string) => readFileSync(join(repository, 'test/format/golden/audit-v1', name), 'utf8');

// Made once by golden/generate-audit-v1.ts. If one of these fails, today's code can no longer read what courts have.
const exported = golden('export.ndjson').split('\n').slice(0, -1);
const kept = golden('kept-checkpoint');
const trusted = [parseNoteVerifier(golden('verifier-key').trimEnd()) as NoteVerifier];
const leaves = exported.map(parseExportLine).filter((line): line is LeafLine => 'kind' in line && line.kind === 'leaf');

/** The part from this heading to the next. */
function section(heading: string): string {
  const part = specification.split(/^##+ /m).find((text) => text.startsWith(heading));
  if (part === undefined) throw new Error(`no section ${heading}`);
  return part;
}

const rowsOf = (heading: string) => Array.from(section(heading).matchAll(/^\| `(\w[\w-]*)` \|/gm), (row) => row[1] as string);
const listOf = (heading: string) =>
  Array.from(section(heading).matchAll(/^(?:`[^`]+` ?)+$/gm), (line) => line[0].match(/[^` ]+/g) ?? []).flat();

t.test('the golden log is found whole, also against the checkpoint that was kept', async (t) => {
  t.match(await verifyLog(exported, { trusted, kept: [kept], origin }), {
    ok: true,
    origin,
    size: 5,
    signedSize: 5,
    findings: [],
  });
});

t.test('the golden events are read, and written today they have the same bytes', async (t) => {
  t.same(
    leaves.map(({ bytes }) => decodeEvent(bytes)),
    goldenEvents,
  );
  t.same(
    goldenEvents.map(encodeEvent),
    leaves.map(({ bytes }) => bytes),
  );
  t.equal(`${exportOf(goldenEvents.map(encodeEvent), [3, 5]).join('\n')}\n`, golden('export.ndjson'));
});

t.test('the golden log of events of version 2 is whole, is read, and is written with the same bytes', async (t) => {
  const text = golden('export-of-events-2.ndjson');
  t.match(await verifyLog(text.split('\n').slice(0, -1), { trusted, origin }), { ok: true, size: 5, signedSize: 5 });
  t.equal(`${exportOf(goldenEvents2.map(encodeEvent), [3, 5]).join('\n')}\n`, text);
  const lines = text.split('\n').slice(0, -1).map(parseExportLine);
  const read = lines
    .filter((line): line is LeafLine => 'kind' in line && line.kind === 'leaf')
    .map(({ bytes }) => decodeEvent(bytes));
  t.same(read, goldenEvents2);
});

t.test('one byte changed in the golden log is found', async (t) => {
  for (const [index, line] of exported.entries()) {
    const changed = exported.with(index, line.replace('00000a', '00000b'));
    t.notOk((await verifyLog(changed, { trusted, origin })).ok, `line ${index + 1}`);
  }
});

t.test('the worked example is the golden log', async (t) => {
  const example = section('13. Worked example');
  t.match(example, `\n${Buffer.from(leaves[0]?.bytes ?? []).toString('utf8')}\n`);
  t.match(example, `\n${kept}`);
  t.match(example, `\n${golden('verifier-key')}`);
  const tree = new MemoryTreeHashes();
  for (const { bytes } of leaves) tree.append(hashLeaf(bytes));
  const hex = (hash: Uint8Array | undefined) => Buffer.from(hash ?? []).toString('hex');
  for (let leaf = 0; leaf < 5; leaf++) t.match(example, `| leaf ${leaf} | \`${hex(tree.rows.get(`0/${leaf}`))}\` |`);
  for (const [level, index] of [
    [1, 0],
    [1, 1],
    [2, 0],
  ] as const) {
    t.match(example, `| subtree (${level}, ${index}) | \`${hex(tree.rows.get(`${level}/${index}`))}\` |`);
  }
  const root = tree.frontier.root();
  t.match(example, `| root of 5 | \`${hex(root)}\` |`);
  const inclusion = await proveInclusion(tree, 2, 5);
  t.same(inclusion, [tree.rows.get('0/3'), tree.rows.get('1/0'), tree.rows.get('0/4')]);
  t.ok(verifyInclusion({ leaf: 2, size: 5, leafHash: hashLeaf(leaves[2]?.bytes ?? Buffer.of()), root }, inclusion));
  const consistency = await proveConsistency(tree, 2, 5);
  t.same(consistency, [tree.rows.get('1/1'), tree.rows.get('0/4')]);
  const older = openCheckpoint(kept, trusted);
  t.ok('size' in older && verifyConsistency(older, { size: 5, root }, consistency));
});

t.test('members of an event are those of the document', async (t) => {
  const members = new Set([...goldenEvents, ...goldenEvents2].flatMap((event) => Object.keys(event)));
  t.strictSame(rowsOf('4. Event').sort(), [...members].sort());
  const membersOf = (name: 'credential' | 'decision') =>
    new Set(goldenEvents2.flatMap((event) => Object.keys(event[name] ?? {})));
  t.strictSame(rowsOf('4.5 Credential and address').sort(), [...membersOf('credential')].sort());
  t.strictSame(rowsOf('4.6 Decision').sort(), [...membersOf('decision')].sort());
  t.strictSame(rowsOf('4.4 Reads').sort(), Object.keys(goldenEvents.at(-1)?.reads ?? {}).sort());
});

t.test('lists and findings are those of the document', async (t) => {
  t.strictSame(listOf('4.1 Principal'), auditPrincipalKinds);
  t.strictSame(listOf('4.2 Actions'), auditActions);
  t.strictSame(listOf('4.3 Resources'), auditResourceKinds);
  t.strictSame(rowsOf('9. Findings'), findingKinds);
});

t.test('versions and limits are those of the document', async (t) => {
  t.match(section('4. Event'), `| \`v\` | 1 or ${AUDIT_EVENT_VERSION} |`);
  t.match(section('8. Export'), `"format":"${EXPORT_FORMAT}"`);
  const rows = [...section('11. Limits').matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)];
  t.ok(rows.length > 5);
  for (const [, name, value] of rows)
    t.equal(Number(value?.replaceAll(',', '')), limits[name as keyof typeof limits], name as string);
});
