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
    await runTap(compiledTests(isCheckedFirst));
    break;
  case 'all':
    checkDebianPackages();
    lint();
    await runTap(compiledTests(isCheckedFirst));
    await runTap(compiledTests((name) => !isCheckedFirst(name) && !name.startsWith(LONG)));
    break;
  case 'long':
    checkDebianPackages();
    await runTap(
      compiledTests((name) => name.startsWith(LONG)),
      ['--jobs=1', '--timeout=7200'],
    );
    break;
  default:
    await runTap(
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

async function runTap(files, options = []) {
  if (files.length === 0) return;
  const report = new TapReport(console.log);
  const tap = spawn(process.execPath, [join(ROOT, 'node_modules/tap/dist/esm/run.mjs'), '--reporter=tap', ...options, ...files], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(tap, 'close');
  for await (const line of createInterface({ input: tap.stdout })) report.line(line);
  const [status] = await ended;
  counts.passed += report.passed;
  counts.failed += report.failed === 0 && status !== 0 ? 1 : report.failed;
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
