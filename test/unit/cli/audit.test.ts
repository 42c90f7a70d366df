import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hashLeaf, treeHashToBase64 } from '../../../src/audit/merkle-hash.ts';
import { formatNoteVerifier } from '../../../src/audit/note-key.ts';
import { limits } from '../../../src/core/limits.ts';
import {
  checkpointLine,
  checkpointOf,
  headerLine,
  leafLine,
  sampleEvent,
  sampleEvents,
  signer,
  strangeSigner,
} from '../../helpers/audit-log-fixture.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { runCommand } from './run-command.ts';

const folder = temporaryFolder(t);
const key = formatNoteVerifier(signer.verifier);
const events = sampleEvents(4);
const [first, second] = events as [Buffer, Buffer];

type Answers = Readonly<Record<string, string | ((response: ServerResponse) => void)>>;

/** A server that says what it is told to, and nothing else. */
async function serverOf(t: Test, answers: Answers): Promise<string> {
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    if (typeof answer === 'function') answer(response);
    else response.writeHead(answer === undefined ? 404 : 200).end(answer ?? '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function logFile(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

const hashes = (...content: readonly Buffer[]) => content.map((bytes) => treeHashToBase64(hashLeaf(bytes)));
const leafAnswer = (bytes: Buffer) =>
  JSON.stringify({ leaf: 0, hash: hashes(bytes)[0], event: JSON.parse(bytes.toString()) as unknown });

t.test('an export that breaks off leaves no file', async (t) => {
  const url = await serverOf(t, {
    '/v1/audit/export': (response) => {
      response.writeHead(200);
      response.write(`${headerLine}\n`, () => response.destroy());
    },
  });
  const file = join(folder, 'broken.ndjson');
  const { code, stderr } = await runCommand(['audit', 'export', file], { url });
  t.equal(code, 5);
  t.match(stderr, /The connection to .* broke/);
  t.notOk(existsSync(file) || existsSync(`${file}.part`));
});

t.test('an export is there when its last chunk is, and its folder must be', async (t) => {
  const url = await serverOf(t, { '/v1/audit/export': `${headerLine}\n` });
  const file = join(folder, 'whole.ndjson');
  t.match(await runCommand(['audit', 'export', file, '--json'], { url }), {
    code: 0,
    json: [{ file, size: headerLine.length + 1 }],
  });
  t.equal(readFileSync(file, 'utf8'), `${headerLine}\n`);
  const nowhere = await runCommand(['audit', 'export', join(folder, 'none', 'log.ndjson')], { url });
  t.match(nowhere, { code: 2, stderr: /There is no folder/ });
});

t.test('a proof holds for the event that is shown, under a head that the key signed', async (t) => {
  const head = checkpointOf(events, 2);
  const honest = {
    '/v1/audit/events/0': leafAnswer(first),
    '/v1/audit/checkpoint': head,
    '/v1/audit/proofs/inclusion?leaf=0&size=2': JSON.stringify({ proof: hashes(second) }),
  };
  const prove = async (answers: Answers) =>
    runCommand(['audit', 'proof', '0', '--key', key], { url: await serverOf(t, answers) });
  t.match(await prove(honest), { code: 0 });
  const shown = JSON.parse(leafAnswer(first)) as { event: object };
  const lies: Record<string, Answers> = {
    'another event': { '/v1/audit/events/0': leafAnswer(second) },
    'an edited event': { '/v1/audit/events/0': JSON.stringify({ ...shown, event: { ...shown.event, outcome: 'denied' } }) },
    'no event': { '/v1/audit/events/0': JSON.stringify({ leaf: 0, hash: hashes(first)[0], bytes: '' }) },
    'another proof': { '/v1/audit/proofs/inclusion?leaf=0&size=2': JSON.stringify({ proof: hashes(first) }) },
    'no proof': { '/v1/audit/proofs/inclusion?leaf=0&size=2': '{"proof":"none"}' },
    'another signer': { '/v1/audit/checkpoint': checkpointOf(events, 2, strangeSigner) },
    'no checkpoint': { '/v1/audit/checkpoint': 'nothing\n' },
  };
  for (const [lie, answers] of Object.entries(lies)) t.equal((await prove({ ...honest, ...answers })).code, 6, lie);
  t.match(await prove({ ...honest, '/v1/audit/events/0': leafAnswer(first), '/v1/audit/checkpoint': checkpointOf(events, 0) }), {
    code: 3,
    stderr: /behind the last signed head/,
  });
});

t.test('a kept head gives way only to one that continues it and that the key signed', async (t) => {
  const file = join(folder, 'kept.txt');
  const path = '/v1/audit/proofs/consistency?first=1&second=2';
  t.match(await runCommand(['audit', 'checkpoint', '--keep', '/dev/zero', '--key', key]), {
    code: 2,
    stderr: /is not a regular file/,
  });
  const keep = async (answers: Answers) =>
    runCommand(['audit', 'checkpoint', '--keep', file, '--key', key], { url: await serverOf(t, answers) });
  t.match(await keep({ '/v1/audit/checkpoint': checkpointOf(events, 1) }), { code: 0 });
  t.equal(readFileSync(file, 'utf8'), checkpointOf(events, 1));

  const forged = checkpointOf([second, second], 2);
  const lies: readonly Answers[] = [
    { '/v1/audit/checkpoint': forged, [path]: JSON.stringify({ proof: hashes(second) }) },
    { '/v1/audit/checkpoint': checkpointOf(events, 2), [path]: '{}' },
    { '/v1/audit/checkpoint': checkpointOf(events, 2, strangeSigner), [path]: JSON.stringify({ proof: hashes(second) }) },
    { '/v1/audit/checkpoint': checkpointOf(events, 0) },
  ];
  for (const lie of lies) t.equal((await keep(lie)).code, 6);
  t.equal(readFileSync(file, 'utf8'), checkpointOf(events, 1), 'the kept one stays');

  const honest = { '/v1/audit/checkpoint': checkpointOf(events, 2), [path]: JSON.stringify({ proof: hashes(second) }) };
  t.match(await keep(honest), { code: 0, stdout: Buffer });
  t.equal(readFileSync(file, 'utf8'), checkpointOf(events, 2));
});

t.test('an export is verified line by line, whatever its lines hold', async (t) => {
  const leaves = events.map((bytes, leaf) => leafLine(leaf, bytes));
  const note = checkpointOf(events, 4);
  const whole = logFile('log.ndjson', [headerLine, ...leaves, checkpointLine(note)]);
  const verify = (file: string, ...flags: string[]) => runCommand(['audit', 'verify', file, '--key', key, ...flags]);
  t.match(await verify(whole), { code: 0 });
  t.match(await verify(whole, '--json'), { code: 0, json: [{ ok: true, size: 4, signedSize: 4 }] });
  const kept = join(folder, 'head.txt');
  writeFileSync(kept, note);
  const cut = logFile('cut.ndjson', [headerLine, ...leaves.slice(0, 2), checkpointLine(checkpointOf(events, 2))]);
  t.match(await verify(cut), { code: 0 }, 'in itself it is whole');
  t.match(await verify(cut, '--checkpoint', kept, '--json'), {
    code: 6,
    json: [{ ok: false, findings: [{ kind: 'deleted-tail' }] }],
  });
  const forged = [headerLine, ...leaves.slice(0, 3), checkpointLine(checkpointOf(events, 3)), leaves[3] as string];
  const open = logFile('open.ndjson', forged);
  t.match(await verify(open), { code: 7, stdout: Buffer });
  t.match(
    (await verify(open)).stdout.toString(),
    /unsigned-tail: Event 3 is not proved.*\n.* is unproven: 4 events, 3 of them signed/,
  );
  t.match(await verify(open, '--json'), { code: 7, json: [{ verdict: 'unproven', ok: false, unsigned: 1 }] });
  t.match(await verify(open, '--allow-unsigned', '1'), { code: 0 });
  t.match(
    (await verify(open, '--allow-unsigned', '1')).stdout.toString(),
    /is whole: 4 events, 3 of them signed.*; 1 behind it are not proved/,
  );
  t.match(await verify(logFile('none.ndjson', [headerLine, ...leaves]), '--allow-unsigned', '9'), { code: 7 });
  const long = logFile('long.ndjson', [headerLine, 'x'.repeat(3 * limits.auditLineMax), ...leaves, checkpointLine(note)]);
  t.match(await verify(long, '--json'), { code: 6, json: [{ findingCount: 1, findings: [{ kind: 'bad-line', line: 2 }] }] });
  const binary = join(folder, 'binary.ndjson');
  writeFileSync(binary, Buffer.of(0xff, 0xfe, 0x00, 0x0a, 0x0a, 0xc3));
  t.match(await verify(binary), { code: 6 });
  const strange = formatNoteVerifier(strangeSigner.verifier);
  t.match(await runCommand(['audit', 'verify', whole, '--key', strange]), { code: 6 }, 'signed by another key');
});

t.test('a line of the log says what became of it, by whom, with what and from where', async (t) => {
  const told = { credential: { kind: 'api_key', id: 'k' }, address: '192.0.2.1' } as const;
  const shown = [
    sampleEvent(0, { ...told, outcome: 'failed', reason: 'version_conflict', action: 'doc.write' }),
    sampleEvent(1, { ...told, credential: { kind: 'token', id: 'j' }, outcome: 'denied', reason: 'rule_denies' }),
    sampleEvent(2, { v: 1 }),
  ];
  const items = shown.map((event, leaf) => ({ leaf, event }));
  const url = await serverOf(t, { '/v1/audit/events?&limit=50': JSON.stringify({ items, nextCursor: null }) });
  const { code, stdout, stderr } = await runCommand(['audit', 'ls', '--limit', '50'], { url });
  t.equal(code, 0, stderr);
  const [failed, denied, old] = stdout.toString().split('\n');
  t.match(
    failed,
    / {2}doc\.write failed \(version_conflict\) {2}.* {2}by user \S+ with key k from 192\.0\.2\.1 {2}request request-0$/,
  );
  t.match(denied, / {2}doc\.read denied \(rule_denies\) {2}.* with token j from 192\.0\.2\.1 {2}request request-1$/);
  t.match(old, / {2}doc\.read {2}.* {2}by user \S+ {2}request request-2$/);
});

t.test("keys come from a file, the log's own first", async (t) => {
  const log = logFile('keyed.ndjson', [headerLine, leafLine(0, first), checkpointLine(checkpointOf(events, 1))]);
  const withKey = (text: string) => {
    const file = join(folder, 'keys');
    writeFileSync(file, text);
    return runCommand(['audit', 'verify', log, '--key', file]);
  };
  t.match(await withKey(`${key}\n`), { code: 0 });
  t.match(await withKey(`\n${key}\r\n${formatNoteVerifier(strangeSigner.verifier)}`), { code: 0 });
  t.match(await withKey('\n'), { code: 2, stderr: /holds no key/ });
  t.match(await withKey(`${key}\nnot a key\n`), { code: 2, stderr: /a line that is no key/ });
});
