/**
 * Runs tests, compiled by setup.mjs, and ends with one plain line: `N passed, N failed`. It counts assertions as tap
 * reports them; formatting, a skipped or unfinished test and a run that died count as failures too.
 *
 *   node test/run.mjs check         formatting, lint, tidy and unit tests (types are checked by setup)
 *   node test/run.mjs all           these and everything else but the long rounds
 *   node test/run.mjs long          the long rounds
 *   node test/run.mjs FILE…         these test files (test/unit/core/slab.test.ts)
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { TapReport } from './tap-report.mjs';

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
    await runTests(compiledTests(isCheckedFirst));
    break;
  case 'all':
    checkDebianPackages();
    lint();
    await runTests(compiledTests(isCheckedFirst));
    await runTests(compiledTests((name) => !isCheckedFirst(name) && !name.startsWith(LONG)));
    break;
  case 'long':
    checkDebianPackages();
    await runTests(
      compiledTests((name) => name.startsWith(LONG)),
      { jobs: 1, seconds: 7200 },
    );
    break;
  default:
    await runTests(
      [what, ...others].map((file) => join('dist', relative(ROOT, join(process.cwd(), file)).replace(/\.ts$/, '.js'))),
    );
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
  const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const { status } = spawnSync(process.execPath, [biome, 'check', '--error-on-warnings', '.'], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  counts[status === 0 ? 'passed' : 'failed'] += 1;
}

/**
 * Each file is a program of its own. tap's runner would start it under module hooks, and so every server and every thread
 * that it starts: on Node 20 a thread that starts beside others under hooks now and then waits for ever.
 */
async function runTests(files, { jobs = 2, seconds = 120 } = {}) {
  const waiting = [...files];
  const line = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await runTest(file, seconds);
  };
  await Promise.all(Array.from({ length: jobs }, line));
}

async function runTest(file, seconds) {
  const began = performance.now();
  const report = new TapReport();
  const test = spawn(process.execPath, ['--enable-source-maps', file], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(seconds) },
  });
  // A file whose event loop is stuck cannot time out by itself.
  const stuck = setTimeout(() => test.kill('SIGKILL'), (seconds + 10) * 1000);
  const ended = once(test, 'close');
  for await (const text of createInterface({ input: test.stdout })) report.line(text);
  const [code, signal] = await ended;
  clearTimeout(stuck);
  const name = file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
  for (const text of report.end({ name, milliseconds: performance.now() - began, code, signal })) console.log(text);
  counts.passed += report.passed;
  counts.failed += report.failed;
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
