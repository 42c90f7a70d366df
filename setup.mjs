/**
 * Makes a clone ready to run: packages, compiled code, the `quasar` command. Quick when nothing changed, and it says
 * what it does when it does something. Two of them at once wait for each other.
 *
 *   node setup.mjs               set up
 *   node setup.mjs up --port 80  set up, then run `quasar up --port 80` in this process
 *
 * Plain JavaScript without packages: it runs before there are any.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const NODE_LEAST = [20, 19];
const SOURCES = ['src', 'test', 'bench'];
/** What bench/peers/install puts there is not ours. */
const FOREIGN = join(ROOT, 'bench', 'peers', 'build', '/');
const LOCK_WAIT_MS = 200;

const at = (...parts) => join(ROOT, ...parts);
const COMMAND = at('node_modules', '.bin', 'quasar');
const COMMAND_TARGET = join('..', '..', 'dist', 'src', 'main.js');
const say = (line) => console.log(`setup: ${line}`);

const [first, ...rest] = process.argv.slice(2);
checkNode();
setUp();
if (first !== undefined && first !== '--tests') await runQuasar([first, ...rest]);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_LEAST[0] || (major === NODE_LEAST[0] && minor >= NODE_LEAST[1])) return;
  fail(
    `Quasar needs Node.js ${NODE_LEAST.join('.')} or later; this is ${process.versions.node}. Install a newer one from your distribution or nodejs.org.`,
  );
}

function setUp() {
  const steps = [
    { needed: packagesAreStale, run: installPackages },
    { needed: buildIsStale, run: build },
    { needed: commandIsMissing, run: linkCommand },
  ];
  if (!steps.some((step) => step.needed())) return;
  withLock(() => {
    for (const step of steps) if (step.needed()) step.run();
  });
}

/** True unless what npm recorded in node_modules is what the lock file asks for. A killed install left no record. */
function packagesAreStale() {
  const installed = readJson(at('node_modules', '.package-lock.json'))?.packages;
  if (installed === undefined) return true;
  const wanted = readJson(at('package-lock.json')).packages;
  const changed = (name) => !isAsWanted(installed[name], wanted[name]);
  const missing = (name) => name !== '' && !wanted[name].optional && installed[name] === undefined;
  return Object.keys(installed).some(changed) || Object.keys(wanted).some(missing);
}

function isAsWanted(found, wanted) {
  return found.version === wanted?.version && (wanted.integrity === undefined || found.integrity === wanted.integrity);
}

function installPackages() {
  say('installing packages (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed. Is the npm registry reachable from here?');
}

function buildIsStale() {
  return readText(at('dist', '.inputs')) !== buildInputs();
}

/** One line an input, so that an added, changed or removed file makes a difference. */
function buildInputs() {
  const lines = ['tsconfig.json', 'package-lock.json'].map(inputLine);
  for (const folder of SOURCES) lines.push(...listFiles(at(folder)).map((file) => inputLine(relative(ROOT, file))));
  return lines.join('\n');
}

function inputLine(name) {
  const { mtimeMs, size } = fs.statSync(at(name));
  return `${name} ${size} ${mtimeMs}`;
}

function build() {
  say('compiling (tsc)');
  const inputs = buildInputs();
  fs.rmSync(at('dist', '.inputs'), { force: true });
  if (listFiles(at('dist', 'src')).length === 0) fs.rmSync(at('dist', '.tsbuildinfo'), { force: true });
  run(
    process.execPath,
    [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', at('tsconfig.json')],
    'The code does not compile.',
  );
  removeOrphans();
  fs.writeFileSync(at('dist', '.inputs'), inputs);
}

/** Compiled files whose source is gone would still be run as tests. */
function removeOrphans() {
  for (const folder of SOURCES) {
    for (const file of listFiles(at('dist', folder))) {
      const source = relative(at('dist'), file).replace(/\.js(\.map)?$/, '.ts');
      if (!fs.existsSync(at(source))) fs.rmSync(file);
    }
  }
}

function commandIsMissing() {
  if (!fs.existsSync(at('dist', 'src', 'main.js'))) return false;
  const linked =
    fs.lstatSync(COMMAND, { throwIfNoEntry: false })?.isSymbolicLink() && fs.readlinkSync(COMMAND) === COMMAND_TARGET;
  return !linked || (fs.statSync(COMMAND).mode & 0o111) !== 0o111;
}

function linkCommand() {
  say('linking the command (npx quasar)');
  fs.rmSync(COMMAND, { force: true });
  fs.symlinkSync(COMMAND_TARGET, COMMAND);
  fs.chmodSync(COMMAND, 0o755);
}

/** The same process, so that signals reach the server without anybody passing them on. */
async function runQuasar(args) {
  const main = at('dist', 'src', 'main.js');
  process.argv = [process.execPath, main, ...args];
  await import(pathToFileURL(main).href);
}

function withLock(work) {
  const file = at('.setup.lock');
  for (let said = false; !tryLock(file); said = true) {
    if (!said) say('waiting for another setup of this clone');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_WAIT_MS);
  }
  process.once('exit', () => fs.rmSync(file, { force: true }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, exitOnSignal);
  work();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(signal, exitOnSignal);
  fs.rmSync(file, { force: true });
}

function exitOnSignal() {
  process.exit(130);
}

/** A lock whose owner was killed is nobody's. */
function tryLock(file) {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const owner = Number(readText(file));
  if (owner > 0 && !isAlive(owner)) fs.rmSync(file, { force: true });
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

function run(command, args, advice) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) fail(`${command} cannot be started: ${error.message}`);
  if (status !== 0) fail(advice);
}

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

function listFiles(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.startsWith(FOREIGN));
}

function readText(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

function readJson(file) {
  const text = readText(file);
  return text === undefined ? undefined : JSON.parse(text);
}
