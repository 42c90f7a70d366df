import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { call } from '../helpers/drill-http.ts';
import { enterDrill } from '../helpers/drill-journal.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

/** Our server reaches the handle of a socket by a name that is not documented, so each Node.js may do without it. */
const CONTRACT = fileURLToPath(new URL('../contract/edge.test.js', import.meta.url));

const folder = temporaryFolder(t);
const installed = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, 'node@24'], { encoding: 'utf8' });
if (installed.status !== 0) throw new Error(`npm could not install node@24:\n${installed.stderr}`);
const node24 = join(folder, 'node_modules', '.bin', 'node');

t.test('the HTTP contract holds under Node.js 24', async (t) => {
  const version = spawnSync(node24, ['--version'], { encoding: 'utf8' }).stdout.trim();
  t.match(version, /^v24\./);
  const child = spawn(node24, [CONTRACT], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TAP_TIMEOUT: '300' } });
  const [report, complaints, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const failed = report.split('\n').filter((line) => /^\s*not ok/.test(line));
  t.same(failed, [], complaints);
  t.equal(code, 0);
  const passed = report.split('\n').filter((line) => /^\s*ok/.test(line));
  enterDrill({
    name: `HTTP contract, Node.js ${version.slice(1)}`,
    seed: undefined,
    rounds: '1',
    outcome: `${passed.length} passed, ${failed.length} failed`,
  });
});

t.test('quasar up serves under Node.js 24 and says by which server', async (t) => {
  const product = await Product.start({ nodeProgram: node24 });
  t.teardown(() => product.destroy());
  const bytes = patternBytes(5_000_000, 24);
  const stored = await call(product, { method: 'POST', path: '/v1/documents', body: bytes });
  const read = await call(product, { path: `/v1/documents/${stored.json.documentId}/content` });
  t.equal(sha256(read.body), sha256(bytes));
  const { dependencies } = (await call(product, { path: '/v1/ready' })).json as {
    dependencies: { edge: { detail: string } };
  };
  t.match(dependencies.edge.detail, /^net$/);
  t.equal(await product.stop(), 0);
});
