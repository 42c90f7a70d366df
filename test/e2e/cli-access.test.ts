import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Json } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { runCommand } from '../unit/cli/run-command.ts';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const folder = temporaryFolder(t);
const product = await Product.start();
t.teardown(() => product.destroy());

interface Typed {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a command with the key of a file, the administrator's by default; `input` is its standard input. */
type Run = (line: readonly string[], keyFile?: string, input?: string) => Promise<Typed>;

/** As a process of its own. */
async function typed(line: readonly string[], keyFile = product.keyFile, input = ''): Promise<Typed> {
  const env = { ...process.env, QUASAR_URL: product.url, QUASAR_KEY_FILE: keyFile };
  const child = spawn(process.execPath, [MAIN, ...line], { env });
  child.stdin.end(input);
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), buffer(child.stdout), text(child.stderr)]);
  return { code: code as number, stdout, stderr };
}

/** In this process, in a tenth of the time. */
function quick(line: readonly string[], keyFile = product.keyFile, input = ''): Promise<Typed> {
  return runCommand(line, { url: product.url, keyFile, stdin: Readable.from([Buffer.from(input)]) });
}

/** A command that must succeed: what it printed, without the last line end. */
async function said(line: readonly string[], run: Run = quick, keyFile?: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await run(line, keyFile, input);
  if (code !== 0) throw new Error(`quasar ${line.join(' ')}: ${code} ${stderr}`);
  return stdout.toString().trimEnd();
}

/** As `said`, one object a line. */
async function rows(line: readonly string[], run: Run = quick, keyFile?: string): Promise<Json[]> {
  const lines = (await said([...line, '--json'], run, keyFile)).split('\n').filter((row) => row !== '');
  return lines.map((row) => JSON.parse(row) as Json);
}

/** A principal with this role and a key in `<name>.key`. */
async function newcomer(name: string, role: string, run: Run = quick): Promise<{ id: string; key: string }> {
  const id = await said(['principal', 'add', name, role], run);
  const key = join(folder, `${name}.key`);
  await said(['key', 'create', `of ${name}`, '--principal', id, '--out', key], run);
  return { id, key };
}

async function put(name: string, content: string, run: Run = quick, key?: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const [stored] = await rows(['put', path], run, key);
  return stored?.documentId as string;
}

t.test('one reads and one may not, the explanation says why, and both reads are in the audit', async (t) => {
  const clerk = await newcomer('clerk', 'clerk', typed);
  const reader = await newcomer('reader', 'reader', typed);
  t.equal(statSync(clerk.key).mode & 0o777, 0o600);
  t.match(await rows(['principal', 'me'], typed, reader.key), [{ principalId: reader.id, name: 'reader', roles: ['reader'] }]);
  const document = await put('scan.pdf', 'a page', typed, clerk.key);
  const thing = `document:${document}`;
  t.equal((await typed(['get', document], reader.key)).stdout.toString(), 'a page');
  t.equal((await typed(['put', join(folder, 'scan.pdf')], reader.key)).code, 2, 'a reader stores nothing');
  t.equal((await typed(['acl', 'add', thing, 'allow', 'doc.read', reader.id], clerk.key)).code, 2, 'nor a clerk rules');

  const added = await said(['acl', 'add', thing, 'deny', 'doc.read', reader.id], typed);
  t.match(added, new RegExp(`^version: 1\n\\S+  deny   doc\\.read  ${reader.id}$`));
  const hidden = await typed(['get', document], reader.key);
  t.equal(hidden.code, 3);
  t.match(hidden.stderr, 'There is no such document.');
  t.equal(hidden.stdout.length, 0);
  t.equal(await said(['ls'], typed, reader.key), '');
  t.equal((await typed(['get', document], clerk.key)).stdout.toString(), 'a page');

  const rule = added.split('\n')[1]?.split(' ')[0] as string;
  for (const action of ['doc.read', 'blob.read']) {
    const explain = ['access', 'explain', thing, '--principal', reader.id, '--action', action];
    const lines = (await said(explain, typed)).split('\n');
    t.equal(lines[0], `May principal ${reader.id} ${action}?`);
    t.ok(lines.includes(`Rule ${rule} at the document denies doc.read to ${reader.id}: it decides.`));
    t.match(lines.at(-1), `Denied: rule ${rule} denies it`);
  }

  const reads = await untilRead(document, reader.id);
  const reasons = new Map(reads.map(({ outcome, reason }) => [outcome, reason]));
  t.strictSame([reasons.get('allowed'), reasons.get('denied')], ['role_allows', 'rule_denies']);

  await said(['acl', 'rm', thing, rule], typed);
  t.equal((await typed(['get', document], reader.key)).stdout.toString(), 'a page');
  t.strictSame(
    (await rows(['acl', 'changes', thing], typed)).map(({ version, rules }) => [version, (rules as unknown[]).length]),
    [
      [2, 0],
      [1, 1],
    ],
  );
  const [keyOfReader] = await rows(['key', 'ls', '--principal', reader.id], typed);
  await said(['key', 'revoke', keyOfReader?.keyId as string], typed);
  const refused = await typed(['get', document], reader.key);
  t.equal(refused.code, 2);
  t.match(refused.stderr, /reader\.key/, 'it says which key was refused');
});

/** What the log says of a principal's reads of a document, once both outcomes are in it. */
async function untilRead(document: string, principal: string): Promise<Json[]> {
  for (;;) {
    const about = ['--document', document, '--principal', principal, '--action', 'blob.read'];
    const events = (await rows(['audit', 'ls', ...about], typed)).map(({ event }) => event as Json);
    if (new Set(events.map(({ outcome }) => outcome)).size > 1) return events;
    await sleep(50);
  }
}

t.test('a group gets into a folder with all that is in it, and out again', async (t) => {
  const guest = await newcomer('guest', 'auditor');
  const document = await put('file.pdf', 'a case');
  const outer = await said(['folder', 'add', 'Fourth chamber']);
  const inner = await said(['folder', 'add', 'Smith v Smith', '--case', '4 K 12/26', '--in', outer]);
  t.match(await said(['folder', 'ls', outer]), new RegExp(`^${inner}  \\S+  Smith v Smith  \\(4 K 12/26\\)$`));
  await said(['folder', 'place', document, inner]);
  const chamber = await said(['group', 'add', 'Chamber']);
  const judges = await said(['group', 'add', 'Judges']);
  await said(['group', 'join', chamber, `group:${judges}`]);
  await said(['group', 'join', judges, guest.id]);
  t.equal(await said(['group', 'members', chamber]), `group:${judges}`);
  t.equal((await quick(['get', document], guest.key)).code, 3);

  await said(['acl', 'add', `folder:${outer}`, 'allow', 'doc.read,blob.read', `group:${chamber}`]);
  t.equal((await quick(['get', document], guest.key)).stdout.toString(), 'a case');
  t.equal((await quick(['folder', 'rm', inner])).code, 4, 'it is not empty');
  await said(['folder', 'mv', inner, 'none']);
  t.equal((await quick(['get', document], guest.key)).code, 3, 'outside of the outer folder');
  await said(['folder', 'mv', inner, outer]);
  await said(['group', 'leave', judges, guest.id]);
  t.equal((await quick(['get', document], guest.key)).code, 3, 'outside of the group');
  await said(['folder', 'place', document, 'none']);
  await said(['folder', 'rm', inner]);
  t.equal((await quick(['folder', 'show', inner])).code, 3);
  await said(['group', 'rm', judges]);
});

t.test('rules go to a file and back, unless somebody else was faster', async (t) => {
  const chamber = await said(['folder', 'add', 'Fifth chamber']);
  const thing = `folder:${chamber}`;
  await said(['acl', 'add', thing, 'allow', 'doc.read', 'me']);
  const rules = join(folder, 'rules.json');
  writeFileSync(rules, await said(['acl', 'get', thing, '--json']));
  await said(['acl', 'set', thing, rules]);
  const late = await quick(['acl', 'set', thing, rules]);
  t.equal(late.code, 4);
  t.match(late.stderr, `The rules of ${thing} are at version 2, not at 1 any more; nothing changed.`);
  t.equal(await said(['acl', 'set', thing, '-'], quick, undefined, '{"rules":[]}'), 'version: 3');
  const mistyped = await quick(['acl', 'add', thing, 'allow', 'doc.raed', 'me']);
  t.equal(mistyped.code, 2);
  t.match(mistyped.stderr, 'did you mean doc.read?');
});

t.test('nobody hands on what he has not, and who is suspended is out at once', async (t) => {
  const scanner = await newcomer('scanner', 'clerk');
  t.equal((await quick(['key', 'create', 'more'], scanner.key)).code, 2);
  t.match(await said(['principal', 'set', scanner.id, 'reader', 'auditor']), `${scanner.id} has the roles `);
  t.equal((await quick(['principal', 'suspend', 'me'])).code, 4, 'the last administrator stays');
  await said(['principal', 'suspend', scanner.id]);
  t.equal((await quick(['principal', 'me'], scanner.key)).code, 2);
  await said(['principal', 'resume', scanner.id]);
  t.match(await rows(['principal', 'me'], quick, scanner.key), [{ principalId: scanner.id }]);
  const [one] = await rows(['key', 'create', 'short', '--scope', 'doc.read', '--expires', '2999-01-01T00:00:00Z']);
  t.equal(await said(['token', 'revoke', 'j-1', '2999-01-01T00:00:00Z']), 'Token j-1 is revoked.');
  t.match(one, { scope: ['doc.read'], expiresAt: '2999-01-01T00:00:00.000Z', key: /^quasar_/ });
});

t.test('another org has its own administrator, sees nothing of ours, and is out while it is suspended', async (t) => {
  const document = await put('ours.pdf', 'ours');
  const kassel = join(folder, 'kassel.key');
  const [org] = await rows(['org', 'add', 'Court of Kassel', '--out', kassel]);
  t.notOk('key' in (org as Json), 'the key is in the file alone');
  t.match(readFileSync(kassel, 'utf8'), /^quasar_\S+\n$/);
  t.strictSame(
    (await rows(['org', 'ls'], quick, kassel)).map(({ orgId }) => orgId),
    [org?.orgId],
  );
  t.equal((await rows(['org', 'ls'])).length, 2);
  t.equal((await quick(['get', document], kassel)).code, 3);
  t.equal((await quick(['org', 'add', 'Court of Fulda'], kassel)).code, 2);
  await said(['org', 'rm', org?.orgId as string]);
  t.equal((await quick(['principal', 'me'], kassel)).code, 2);
  await said(['org', 'resume', org?.orgId as string]);
  t.equal((await quick(['principal', 'me'], kassel)).code, 0);
});

t.test('a document is kept while it is held or retained, and gone once it is disposed of', async (t) => {
  const kept = await put('kept.pdf', 'kept');
  const document = await put('held.pdf', 'held');
  await said(['retain', kept, '2999-12-31T00:00:00Z', '--reason', 'For ever, nearly']);
  t.equal((await quick(['retain', kept, '2998-12-31T00:00:00Z'])).code, 4);
  const early = await quick(['dispose', kept, '--reason', 'Too early']);
  t.equal(early.code, 4);
  t.match(early.stderr, 'It is kept until 2999-12-31T00:00:00.000Z.');
  await said(['hold', document, '--reason', 'Appeal']);
  const held = await quick(['dispose', document, '--reason', 'Under appeal']);
  t.equal(held.code, 4);
  t.match(held.stderr, '"quasar stat DOCUMENT" tells why.');
  t.match(await rows(['stat', document]), [{ hold: { reason: 'Appeal' } }]);
  await said(['hold', document, '--release', '--reason', 'Appeal withdrawn']);
  await said(['dispose', document, '--reason', 'Retention period over']);
  const gone = await quick(['get', document]);
  t.equal(gone.code, 3);
  t.match(gone.stderr, 'disposed of');
});
