import { renameSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LocalNode } from '../../../src/graviton/local-node.ts';
import { segmentPath } from '../../../src/graviton/node-directory.ts';
import { blockOf, nodeOptions, stateOf } from '../../helpers/node-fixture.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { runCommand } from './run-command.ts';

const REASON = ['--reason', 'J. Doe: no copy'];

t.test('accept-loss gives up a segment that is missing, and nothing else', async (t) => {
  const data = temporaryFolder(t);
  const directory = join(data, 'node');
  const node = await LocalNode.open(nodeOptions(directory));
  await node.putBlocks([blockOf(1)]);
  await node.close();
  const command = (...rest: string[]) => runCommand(['graviton', 'accept-loss', ...rest, '--data', data]);

  const whole = await command('1', ...REASON);
  t.equal(whole.code, 2);
  t.match(whole.stderr, /Segment 1 is not given up\. Its file is there\. Nothing was changed\./);
  renameSync(segmentPath(directory, 1), join(data, 'away'));
  t.match(await command('1'), { code: 2, stderr: /--reason is missing/ });
  t.match(await command('first', ...REASON), { code: 2, stderr: /"first" is no number of a segment/ });
  t.match(await command('7', ...REASON), { code: 2, stderr: /MANIFEST names no such segment/ });
  const { code, stdout, stderr } = await command('1', ...REASON, '--json');
  t.equal(code, 0, stderr);
  t.same(JSON.parse(stdout.toString()), { givenUp: [1] });

  const without = await LocalNode.open(nodeOptions(directory));
  t.teardown(() => without.close());
  t.equal(await stateOf(without, blockOf(1)), 'missing');
  t.same(await without.putBlocks([blockOf(1)]), ['written']);
  t.match(await command('1', ...REASON), { code: 5, stderr: /A server is using/ });
});
