/**
 * Runs tests, compiled by setup.mjs, and ends with one plain line: `N passed, N failed`. It counts assertions as tap
 * reports them; formatting, a skipped or unfinished test and a run that died count as failures too.
 *
 *   node test/run.mjs check         formatting, lint, tidy and unit tests (types are checked by setup)
 *   node test/run.mjs all           these and everything else but the long rounds
 *   node test/run.mjs long          the long rounds
 *   node test/run.mjs FILE…         these test files (test/unit/core/slab.test.ts)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COMPILED = join(ROOT, 'dist', 'test');
const CHECKED_FIRST = ['tidy.test.js', 'unit/'];
const LONG = 'long/';

const counts = { passed: 0, failed: 0 };
const started = performance.now();
const [what = 'all', ...others] = process.argv.slice(2);

switch (what) {
  case 'check':
    lint();
    runTap(compiledTests(isCheckedFirst));
    break;
  case 'all':
    checkDebianPackages();
    lint();
    runTap(compiledTests(isCheckedFirst));
    runTap(compiledTests((name) => !isCheckedFirst(name) && !name.startsWith(LONG)));
    break;
  case 'long':
    checkDebianPackages();
    runTap(compiledTests((name) => name.startsWith(LONG)));
    break;
  default:
    runTap([what, ...others].map((file) => join('dist', relative(ROOT, join(process.cwd(), file)).replace(/\.ts$/, '.js'))));
}

console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

function isCheckedFirst(name) {
  return CHECKED_FIRST.some((start) => name.startsWith(start));
}

function compiledTests(accept) {
  return readdirSync(COMPILED, { recursive: true })
    .filter((name) => name.endsWith('.test.js') && accept(name))
    .map((name) => join('dist', 'test', name))
    .sort();
}

function lint() {
  const { status } = start('node_modules/@biomejs/biome/bin/biome', ['check', '.']);
  counts[status === 0 ? 'passed' : 'failed'] += 1;
}

function runTap(files) {
  if (files.length === 0) return;
  const report = join(tmpdir(), `quasar-test-${process.pid}.tap`);
  const reporter = process.stdout.isTTY ? 'base' : 'terse';
  const { status } = start('node_modules/tap/dist/esm/run.mjs', [`--reporter=${reporter}`, `--output-file=${report}`, ...files]);
  count(report, status);
  rmSync(report, { force: true });
}

/** tap closes its report with the sums: `# { total: 11, pass: 4, fail: 3, todo: 2, skip: 2 }`. */
function count(report, status) {
  const sums = existsSync(report)
    ? readFileSync(report, 'utf8')
        .match(/^# \{ total: .*\}$/gm)
        ?.at(-1)
    : undefined;
  const sum = (name) => Number(sums?.match(new RegExp(`${name}: (\\d+)`))?.[1] ?? 0);
  const unfinished = sum('todo') + sum('skip');
  if (unfinished > 0) console.log(`${unfinished} assertions are skipped or to do; they count as failed`);
  const failed = sum('fail') + unfinished;
  counts.passed += sum('pass');
  counts.failed += failed === 0 && status !== 0 ? 1 : failed;
}

function start(script, args) {
  return spawnSync(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
}

function checkDebianPackages() {
  const wanted = readFileSync(join(ROOT, 'test', 'debian-packages.txt'), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const install = `apt-get update && apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (spawnSync('apt-get', ['--version']).status !== 0) {
    console.log(
      `test: there is no apt-get here; tests that call programs of ${missing.join(', ')} fail unless these are on the PATH`,
    );
    return;
  }
  if (process.getuid() !== 0) stop(`The tests need Debian packages. Type: sudo sh -c '${install}'`);
  console.log(`test: ${install}`);
  const { status } = spawnSync('sh', ['-c', install], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) stop(`The packages could not be installed. Type: ${install}`);
}

function isInstalled(name) {
  const { status, stdout } = spawnSync('dpkg-query', ['--status', name], { encoding: 'utf8' });
  return status === 0 && /^Status: .* installed$/m.test(stdout);
}

function stop(message) {
  console.error(`test: ${message}`);
  process.exit(1);
}
