import fc from 'fast-check';
import t from 'tap';
import { encodeEvent } from '../../../src/audit/event.ts';
import { formatExportLine } from '../../../src/audit/export-line.ts';
import { EMPTY_ROOT, hashLeaf, treeHashToBase64 } from '../../../src/audit/merkle-hash.ts';
import { verifyLog } from '../../../src/audit/verify-log.ts';
import { limits } from '../../../src/core/limits.ts';
import {
  checkpointLine,
  checkpointOf,
  exportOf,
  headerLine,
  leafLine,
  origin,
  otherOrgId,
  rootOf,
  sampleEvent,
  sampleEvents,
  signer,
  strangeSigner,
} from '../../helpers/audit-log-fixture.ts';

const trusted = [signer.verifier];
const events = sampleEvents(20);
const edited = encodeEvent(sampleEvent(6, { outcome: 'denied', reason: 'rewritten' }));
const withEdit = events.with(6, edited);
const verify = (lines: readonly string[], kept: readonly string[] = []) => verifyLog(lines, { trusted, kept, origin });
const kinds = (report: { findings: readonly { kind: string }[] }) => report.findings.map(({ kind }) => kind);

t.test('a whole log is found whole', async (t) => {
  const report = await verify(exportOf(events, [0, 1, 7, 16, 20]), [checkpointOf(events, 13), checkpointOf(events, 0)]);
  t.strictSame(report, {
    verdict: 'whole',
    ok: true,
    origin,
    size: 20,
    root: treeHashToBase64(rootOf(events)),
    signedSize: 20,
    signedAt: '2026-09-21T14:13:40.000Z',
    unsigned: 0,
    findings: [],
    findingCount: 0,
  });
});

t.test('an empty log with its checkpoint is found whole', async (t) => {
  const report = await verify(exportOf([], [0]));
  t.match(report, { ok: true, size: 0, signedSize: 0, root: treeHashToBase64(EMPTY_ROOT) });
});

t.test('events behind the last checkpoint are told apart from those that are signed', async (t) => {
  t.match(await verify(exportOf(events, [12])), {
    ...{ verdict: 'unproven', ok: false, size: 20, signedSize: 12, unsigned: 8 },
    findings: [{ kind: 'unsigned-tail', leaf: 12, end: 20 }],
  });
  t.match(
    await verify(exportOf(events, [12]), [checkpointOf(events, 20)]),
    { verdict: 'whole', unsigned: 0 },
    'a kept one covers them',
  );
});

t.test('an event that was forged behind the last checkpoint, with the hash it has to have, is not called proved', async (t) => {
  const forged = encodeEvent(sampleEvent(20, { action: 'acl.set', outcome: 'allowed' }));
  const lines = [...exportOf(events, [20]), leafLine(20, forged)];
  t.match(await verify(lines), { verdict: 'unproven', unsigned: 1, findings: [{ kind: 'unsigned-tail', leaf: 20, end: 21 }] });
  t.match(await verify(exportOf([], [0]).concat(leafLine(0, events[0] as Buffer))), { verdict: 'unproven' });
});

t.test('as many events as are allowed may be unproven, and never all of them', async (t) => {
  const allowing = (lines: readonly string[], unsignedMax: number) => verifyLog(lines, { trusted, origin, unsignedMax });
  t.match(await allowing(exportOf(events, [12]), 8), { verdict: 'whole', ok: true, signedSize: 12, unsigned: 8, findings: [] });
  t.match(await allowing(exportOf(events, [12]), 7), { verdict: 'unproven' });
  t.match(await allowing(exportOf(events, []), 1000), { verdict: 'unproven', findings: [{ kind: 'no-checkpoint' }] });
  t.match(await allowing(exportOf(withEdit, [5, 12], { hashes: events.map(hashLeaf) }), 1000), { verdict: 'damaged' });
});

t.test(
  'an export that is cut at its front, in its middle or behind a checkpoint is damaged, or says from when it is',
  async (t) => {
    const lines = exportOf(events, [10, 20]);
    t.match(await verify([lines[0] as string, ...lines.slice(6)]), {
      verdict: 'damaged',
      findings: [{ kind: 'gap', leaf: 0, end: 5 }],
    });
    t.match(await verify(lines.toSpliced(4, 3)), { verdict: 'damaged' });
    const older = exportOf(events.slice(0, 10), [10]);
    t.match(await verify(older), { verdict: 'whole', signedAt: '2026-09-21T14:13:30.000Z' }, 'only its time tells');
    t.match(await verify(older, [checkpointOf(events, 20)]), {
      verdict: 'damaged',
      findings: [{ kind: 'deleted-tail', leaf: 10, end: 20 }],
    });
  },
);

t.test(
  'a log whose key was changed is whole by both keys, and by one of them what the other signed is not believed',
  async (t) => {
    const lines = [...exportOf(events.slice(0, 10), [10]), ...exportOf(events, [20]).slice(11, -1)];
    const rotated = [...lines, checkpointLine(checkpointOf(events, 20, strangeSigner))];
    const both = [strangeSigner.verifier, ...trusted];
    t.match(await verifyLog(rotated, { trusted: both, origin }), { verdict: 'whole', signedSize: 20 });
    t.match(await verifyLog(rotated, { trusted, origin }), {
      verdict: 'damaged',
      signedSize: 10,
      findings: [{ kind: 'bad-signature' }],
    });
  },
);

t.test('lines may come as they are read', async (t) => {
  async function* slowly() {
    yield* exportOf(events, [20]);
  }
  t.ok((await verifyLog(slowly(), { trusted })).ok);
});

t.test('an edited event is found and named by the hash the log holds', async (t) => {
  const report = await verify(exportOf(events, [5, 10, 20], { events: withEdit, hashes: events.map(hashLeaf) }));
  t.notOk(report.ok);
  t.match(report.findings, [
    { kind: 'edited-event', leaf: 6 },
    { kind: 'root-mismatch', leaf: 5, end: 10 },
  ]);
  t.equal(report.signedSize, 5);
});

t.test('an edited event with its hash edited too is found between two checkpoints', async (t) => {
  t.match((await verify(exportOf(events, [5, 10, 20], { events: withEdit }))).findings, [
    { kind: 'root-mismatch', leaf: 5, end: 10 },
  ]);
  const [finding] = (await verify(exportOf(events, [6, 7, 20], { events: withEdit }))).findings;
  t.match(finding, { kind: 'root-mismatch', leaf: 6, end: 7, meaning: /^Event 6 is not what was signed/ });
});

t.test('an edited event is found by a checkpoint that was kept, when the export has none of its own', async (t) => {
  t.match(kinds(await verify(exportOf(events, [], { events: withEdit }), [checkpointOf(events, 9)])), ['root-mismatch']);
});

t.test('a deleted tail is found', async (t) => {
  const tail = { events: events.slice(0, 17) };
  const report = await verify(exportOf(events, [10, 20], tail));
  t.match(report.findings, [{ kind: 'deleted-tail', leaf: 17, end: 20 }]);
  t.equal(report.signedSize, 10);
});

t.test('a tail deleted together with its checkpoints is found by a checkpoint that was kept', async (t) => {
  const tail = exportOf(events, [10], { events: events.slice(0, 17) });
  t.equal((await verify(tail)).verdict, 'unproven', 'nothing in the export can tell');
  t.match((await verify(tail, [checkpointOf(events, 20)])).findings, [{ kind: 'deleted-tail', leaf: 17, end: 20 }]);
});

t.test('a reordered pair is found and named', async (t) => {
  for (const [left, right] of [
    [6, 7],
    [5, 9],
  ] as const) {
    const swapped = events.with(left, events[right] as Buffer).with(right, events[left] as Buffer);
    const pair = { kind: 'reordered-pair', leaf: left, end: right };
    t.match((await verify(exportOf(events, [5, 10, 20], { events: swapped }))).findings, [pair], 'hashes moved too');
    const stated = await verify(exportOf(events, [5, 10, 20], { events: swapped, hashes: events.map(hashLeaf) }));
    t.match(stated.findings, [pair], 'hashes stayed');
  }
});

t.test('two lines that changed places are found and named', async (t) => {
  const lines = exportOf(events, [20]);
  const swapped = lines.with(4, lines[5] as string).with(5, lines[4] as string);
  t.match((await verify(swapped)).findings, [{ kind: 'reordered-pair', leaf: 3, end: 4 }]);
});

t.test('a reordered pair among more events than are searched is still found', async (t) => {
  const many = sampleEvents(limits.auditPairSearchMax + 1);
  const swapped = many.with(0, many[1] as Buffer).with(1, many[0] as Buffer);
  const report = await verify(exportOf(many, [many.length], { events: swapped }));
  t.match(report.findings, [{ kind: 'root-mismatch', leaf: 0, end: many.length }]);
});

t.test('a forked log is found: an earlier checkpoint is no beginning of what is signed now', async (t) => {
  const rewritten = exportOf(withEdit, [10, 20]);
  t.ok((await verify(rewritten)).ok, 'nothing in the export can tell');
  const report = await verify(rewritten, [checkpointOf(events, 4), checkpointOf(events, 8)]);
  t.match(report.findings, [{ kind: 'forked-log', leaf: 8 }]);
});

t.test('two signed roots of one size are a fork', async (t) => {
  const report = await verify([...exportOf(events, [20]), checkpointLine(checkpointOf(withEdit, 20))]);
  t.match(report.findings, [{ kind: 'forked-log', leaf: 20 }]);
  t.match(kinds(await verify(exportOf(withEdit, [20]), [checkpointOf(events, 20)])), ['forked-log']);
  const third = events.with(9, events[8] as Buffer);
  const neither = await verify(exportOf(withEdit, [20], { events: third }), [checkpointOf(events, 20)]);
  t.match(kinds(neither).sort(), ['forked-log', 'root-mismatch'], 'and the events are of neither');
});

t.test('an event deleted from the middle is found as a gap, and renumbered by its root', async (t) => {
  const lines = exportOf(events, [5, 20]);
  t.match((await verify(lines.filter((line) => !line.endsWith('"leaf":8}')))).findings, [{ kind: 'gap', leaf: 8, end: 9 }]);
  const renumbered = await verify(exportOf(events, [5, 15], { events: events.toSpliced(8, 1) }));
  t.match(renumbered.findings, [{ kind: 'root-mismatch', leaf: 5, end: 15 }]);
  t.match(kinds(await verify(lines.filter((line) => !/"leaf":[89]\}$/.test(line)))), ['gap']);
});

t.test('an event that was slipped in is found', async (t) => {
  const more = encodeEvent(sampleEvent(99));
  t.match(kinds(await verify(exportOf(events, [5, 20], { events: events.toSpliced(8, 0, more) }))), ['root-mismatch']);
});

t.test('an event that comes again is found', async (t) => {
  const lines = exportOf(events, [20]);
  t.match((await verify(lines.toSpliced(9, 0, lines[4] as string))).findings, [{ kind: 'repeat', leaf: 3, line: 10 }]);
});

t.test('a signature that is wrong, of a stranger, or of another log is found', async (t) => {
  const note = checkpointOf(events, 20);
  const raised = note.replace('\n20\n', '\n21\n');
  const lines = exportOf(events, [10]);
  t.match(kinds(await verify([...lines, checkpointLine(raised)])), ['bad-signature']);
  t.match(kinds(await verify([...lines, checkpointLine(checkpointOf(events, 20, strangeSigner))])), ['bad-signature']);
  t.match(kinds(await verify(lines, [raised])), ['bad-signature']);
  const other = { ...sampleEvent(20), orgId: otherOrgId };
  t.match((await verify([...lines, leafLine(20, encodeEvent(other))])).findings, [{ kind: 'foreign', leaf: 20 }]);
  t.match(kinds(await verifyLog(lines, { trusted, origin: `quasar/${otherOrgId}` })).at(0), 'foreign');
});

t.test('a checkpoint that is none is found', async (t) => {
  const lines = exportOf(events, [10]);
  t.match(kinds(await verify([...lines, checkpointLine('no note')])), ['bad-checkpoint']);
  t.match(kinds(await verify(lines, ['', 'x'])), ['bad-checkpoint', 'bad-checkpoint']);
});

t.test('a log without any trusted signature is not called whole', async (t) => {
  t.match(kinds(await verify(exportOf(events, []))), ['no-checkpoint']);
  const strangers = await verifyLog(exportOf(events, [20]), { trusted: [strangeSigner.verifier] });
  t.match(kinds(strangers), ['bad-signature', 'no-checkpoint']);
});

t.test('a checkpoint behind events that it does not cover is found', async (t) => {
  const report = await verify([...exportOf(events, [20]), checkpointLine(checkpointOf(events, 10))]);
  t.match(report.findings, [{ kind: 'misplaced-checkpoint', line: 23 }]);
});

t.test('bytes that are not canonical, or no event, are found even when they were signed', async (t) => {
  const text = (events[3] as Buffer).toString();
  const bad = [
    Buffer.from(text.replace('{"action"', '{ "action"')),
    Buffer.from(text.replace('"v":2}', '"v":2,"v":2}')),
    Buffer.from(text.replace('{"action":"doc.read",', '{').replace('"v":2}', '"v":2,"action":"doc.read"}')),
    Buffer.from(text.replace('request-3', 'request\\u002d3')),
    Buffer.from([0xff, 0xfe]),
    Buffer.alloc(0),
    Buffer.from(`${text}\n`),
  ];
  for (const bytes of bad) {
    t.match(
      (await verify(exportOf(events.with(3, bytes), [20]))).findings,
      [{ kind: 'not-canonical', leaf: 3 }],
      bytes.toString(),
    );
  }
  const unknown = Buffer.from(text.replace('doc.read', 'doc.teleport'));
  t.match((await verify(exportOf(events.with(3, unknown), [20]))).findings, [{ kind: 'not-an-event', leaf: 3 }]);
});

t.test('an event may hold whatever looks like the end of a line', async (t) => {
  const nasty = `","hash":"${'A'.repeat(44)}","leaf":7}\n\u2028|;\r\u0000{"checkpoint":"`;
  const report = await verify(exportOf(events.with(2, encodeEvent(sampleEvent(2, { detail: { nasty } }))), [20]));
  t.ok(report.ok);
});

t.test('lines that are none are found, and nothing is thrown', async (t) => {
  const lines = exportOf(events, [20]);
  const bad = [
    '',
    ' ',
    'null',
    '{}',
    '[',
    `${headerLine} `,
    '{"leaf":3}',
    '{"checkpoint":7}',
    '{"checkpoint":"\\x"}',
    'x'.repeat(limits.auditLineMax + 1),
  ];
  bad.push(
    leafLine(3, events[3] as Buffer).replace('"leaf":3', '"leaf":03'),
    leafLine(3, events[3] as Buffer).replace('"leaf":3', '"leaf":9007199254740992'),
  );
  bad.push(formatExportLine({ kind: 'header', origin }));
  for (const line of bad) t.match(kinds(await verify([...lines, line])), ['bad-line'], line.slice(0, 80));
  t.match(kinds(await verify(lines.slice(1))), ['bad-line']);
  t.match(kinds(await verify([])), ['bad-line', 'no-checkpoint']);
});

t.test('findings are counted beyond those that are told', async (t) => {
  const lines = [
    headerLine,
    ...Array.from({ length: limits.auditFindingsMax + 5 }, () => 'x'),
    checkpointLine(checkpointOf([], 0)),
  ];
  const report = await verify(lines);
  t.equal(report.findings.length, limits.auditFindingsMax);
  t.equal(report.findingCount, limits.auditFindingsMax + 5);
});

t.test('any other byte anywhere in an export that is fully signed is found, and nothing is thrown', async () => {
  const text = exportOf(events, [7, 20]).join('\n');
  const bytes = Buffer.from(text);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ change;
      return !(await verify(changed.toString('utf8').split('\n'))).ok;
    }),
    { numRuns: 400 },
  );
});

t.test('any lost, doubled or moved line of an export that is fully signed is found', async (t) => {
  const lines = exportOf(events, [7, 20]);
  const last = lines.length - 1;
  for (const [index, line] of lines.entries()) {
    const isCheckpoint = line.startsWith('{"checkpoint"');
    if (!isCheckpoint) t.notOk((await verify(lines.toSpliced(index, 1))).ok, `line ${index + 1} lost`);
    if (!isCheckpoint) t.notOk((await verify(lines.toSpliced(index, 0, line))).ok, `line ${index + 1} doubled`);
    // A checkpoint one line early is compared all the same.
    if (index < last - 1) t.notOk((await verify([...lines.toSpliced(index, 1), line])).ok, `line ${index + 1} moved to the end`);
  }
});

t.test('whatever lines come, in whatever order, there is a report', async () => {
  const lines = exportOf(events, [0, 7, 20]);
  const part = fc
    .tuple(fc.constantFrom(...lines), fc.nat(900), fc.nat(900))
    .map(([line, a, b]) => line.slice(a) + line.slice(0, b));
  const line = fc.oneof(
    fc.constantFrom(...lines),
    part,
    fc.string({ unit: 'binary' }),
    fc.json().map((json) => `{"event":${json}}`),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.array(fc.string(), { maxLength: 2 }), async (some, kept) => {
      const report = await verify(some, kept);
      return report.ok === (report.findingCount === 0);
    }),
  );
});
