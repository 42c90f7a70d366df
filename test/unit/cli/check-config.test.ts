import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { runCommand } from './run-command.ts';

t.test('a valid configuration is shown with the origin of every value', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'quasar.conf'), 'http {\n  port = 9000\n}\n');
  const { code, json } = await runCommand(['config', 'check', '--config', folder, '--json']);
  t.equal(code, 0);
  t.match(json, [{ valid: true, directory: folder, files: [join(folder, 'quasar.conf')] }]);
  const values = json[0]?.values as Record<string, unknown>[];
  t.match(
    values.find(({ key }) => key === 'http.port'),
    { value: '9000', source: 'file', line: 2 },
  );
  t.match(
    values.find(({ key }) => key === 'http.host'),
    { value: '127.0.0.1', source: 'default', line: null },
  );
  const plain = await runCommand(['config', 'check', '--config', folder]);
  t.match(plain.stdout.toString(), /http\.port +=? *= 9000 {2}\(line 2\)\n/);
  t.match(plain.stdout.toString(), /The configuration is valid\.\n$/);
});

t.test('all faults are told at once, with file and line, and end with 2', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'quasar.conf'), 'http.port = many\nhttp.prot = 1\n');
  const { code, stderr, stdout } = await runCommand(['config', 'check', '--config', folder]);
  t.equal(code, 2);
  t.equal(stdout.length, 0);
  const lines = stderr.trimEnd().split('\n');
  t.equal(lines.length, 2);
  for (const [index, line] of lines.entries()) t.match(line, new RegExp(`^quasar: .*quasar\\.conf line ${index + 1}: `));
  const { json, code: again } = await runCommand(['config', 'check', '--config', folder, '--json']);
  t.equal(again, 2);
  t.match(json, [{ valid: false, problems: { length: 2 } }]);
});

t.test('a folder that is not there is a fault', async (t) => {
  const { code, stderr } = await runCommand(['config', 'check', '--config', join(temporaryFolder(t), 'none')]);
  t.equal(code, 2);
  t.match(stderr, /is not there/);
});
