import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Product } from '../helpers/product.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const README_URL = 'http://127.0.0.1:8080';

t.test('the shell blocks of the README run as they stand, one after the other', async (t) => {
  const product = await Product.start();
  t.teardown(() => product.destroy());
  const folder = await mkdtemp(join(tmpdir(), 'quasar-readme-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await symlink(product.data, join(folder, 'data'));

  const blocks = [...(await readFile(join(ROOT, 'README.md'), 'utf8')).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(
    ([, text]) => text as string,
  );
  t.ok(blocks.length >= 4, 'the tour has its blocks');
  // The clone's own build, whichever folder it was compiled into; everything else is typed as it stands.
  const quasar = `quasar() { "${process.execPath}" "${fileURLToPath(new URL('../../src/main.js', import.meta.url))}" "$@"; }`;
  const script = blocks.join('\n').replaceAll(README_URL, product.url).replaceAll('npx quasar', 'quasar');
  const shell = spawn('bash', ['-euxo', 'pipefail', '-c', `${quasar}\n${script}`], {
    cwd: folder,
    env: { ...process.env, QUASAR_URL: product.url, QUASAR_KEY_FILE: '' },
  });
  let output = '';
  shell.stdout.on('data', (text) => {
    output += text;
  });
  shell.stderr.on('data', (text) => {
    output += text;
  });
  const [code] = await once(shell, 'close');
  t.equal(code, 0, 'every command succeeds');
  if (code !== 0) t.comment(output);
  t.match(output, /Upload-Offset: 40000000/i, 'the session stood where its bytes were durable');
  t.match(output, /"size":100000000/, 'and was committed whole');
  t.match(output, /^hidden from the reader$/m, 'a denial hides the document');
});
