import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { LocalNode } from '../../../src/graviton/local-node.ts';
import { NodeJournal } from '../../../src/graviton/node-journal.ts';
import { NODE_ITSELF } from '../../../src/graviton/segment-ledger.ts';
import { diskFiles } from '../../../src/segment/segment-files.ts';
import { blockOf, nodeOptions } from '../../helpers/node-fixture.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { runCommand } from './run-command.ts';

const REASON = ['--reason', 'J. Doe: cable replaced'];

/** A data folder whose node met a write error and was stopped. */
async function readOnlyFolder(t: Test): Promise<string> {
  const data = temporaryFolder(t);
  const directory = join(data, 'node');
  const node = await LocalNode.open(nodeOptions(directory));
  await node.putBlocks([blockOf(1)]);
  await node.close();
  const journal = await NodeJournal.open({ files: diskFiles, directory, clock: systemClock });
  await journal.record({ kind: 'suspect', segment: NODE_ITSELF, reason: 'The fdatasync of segment 1 failed (EIO).' });
  await journal.close();
  return data;
}

t.test('accept-disk lets the next start write again, and says what was wrong', async (t) => {
  const data = await readOnlyFolder(t);
  const before = await LocalNode.open(nodeOptions(join(data, 'node')));
  t.equal(before.health().writable, false);
  await before.close();

  const { code, stdout, stderr } = await runCommand(['graviton', 'accept-disk', '--data', data, ...REASON]);
  t.equal(code, 0, stderr);
  t.match(stdout.toString(), /^The disk is accepted; .*The fdatasync of segment 1 failed \(EIO\)\.\n$/);
  const after = await LocalNode.open(nodeOptions(join(data, 'node')));
  t.teardown(() => after.close());
  t.same(await after.putBlocks([blockOf(2)]), ['written']);
});

t.test('accept-disk changes nothing where nothing is wrong', async (t) => {
  const data = await readOnlyFolder(t);
  t.same((await runCommand(['graviton', 'accept-disk', '--data', data, ...REASON, '--json'])).json, [
    { accepted: true, readOnlyReason: 'The fdatasync of segment 1 failed (EIO).' },
  ]);
  const again = await runCommand(['graviton', 'accept-disk', '--data', data, ...REASON]);
  t.equal(again.code, 0);
  t.equal(again.stdout.toString(), 'The node takes writes already; nothing was changed.\n');
});

t.test('accept-disk refuses with one line while a server holds the node', async (t) => {
  const data = await readOnlyFolder(t);
  const node = await LocalNode.open(nodeOptions(join(data, 'node')));
  t.teardown(() => node.close());
  const { code, stdout, stderr } = await runCommand(['graviton', 'accept-disk', '--data', data, ...REASON]);
  t.equal(code, 5);
  t.equal(stdout.length, 0);
  t.equal(stderr, `quasar: A server is using ${data}. Stop it, accept the disk, then start it again.\n`);
  await node.close();
  const still = await LocalNode.open(nodeOptions(join(data, 'node')));
  t.teardown(() => still.close());
  t.equal(still.health().writable, false, 'the refusal changed nothing');
});

t.test('accept-disk wants a reason and a node', async (t) => {
  const data = await readOnlyFolder(t);
  for (const line of [[], ['--reason', '  ']]) {
    const { code, stderr } = await runCommand(['graviton', 'accept-disk', '--data', data, ...line]);
    t.equal(code, 2);
    t.match(stderr, /^quasar: --reason is missing; /);
  }
  const elsewhere = await runCommand(['graviton', 'accept-disk', '--data', temporaryFolder(t), ...REASON]);
  t.equal(elsewhere.code, 2);
  t.match(elsewhere.stderr, /holds no storage node/);
  t.match(
    (await runCommand(['graviton'])).stderr,
    /"quasar graviton" needs one more word: "quasar graviton accept-disk", "quasar graviton accept-loss"\./,
  );
});
