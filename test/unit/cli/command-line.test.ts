import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { exitCodeOf, exitCodes } from '../../../src/cli/exit-code.ts';
import { helpFlag } from '../../../src/cli/flags.ts';
import { packageVersion } from '../../../src/cli/version.ts';
import { type ErrorCode, errorTable, QuasarError } from '../../../src/core/errors.ts';
import { editDistance, nearest } from '../../../src/core/nearest.ts';
import { repository } from '../../helpers/source-files.ts';
import { runCommand, testTable } from './run-command.ts';

t.test('the overview names every command with its purpose', async (t) => {
  for (const line of [['--help'], ['-h'], ['help']]) {
    const { code, stdout } = await runCommand(line);
    t.equal(code, 0);
    for (const { name, purpose } of testTable)
      t.ok(stdout.toString().includes(`  ${name} `) && stdout.toString().includes(purpose), name);
  }
});

t.test('the help of a command says everything the table holds', async (t) => {
  for (const command of testTable) {
    const { code, stdout } = await runCommand([...command.name.split(' '), '--help']);
    const text = stdout.toString();
    t.equal(code, 0);
    t.ok(text.startsWith(`${command.purpose}\n\nUsage: quasar ${command.name} [FLAGS] ${command.usage}`.trimEnd()), command.name);
    for (const flag of [...command.flags, helpFlag]) {
      t.match(text, new RegExp(`^ {2}.*--${flag.name}\\b.*`, 'm'), `${command.name} --${flag.name}`);
      t.ok(text.includes(flag.description));
      if (flag.default !== undefined) t.match(text, new RegExp(`--${flag.name}\\b.*default: ${flag.default}`), 'its default');
      if (flag.unit !== undefined) t.match(text, new RegExp(`--${flag.name}\\b.*${flag.unit.slice(0, 12)}`), 'its unit');
    }
    for (const { name, description } of command.arguments) t.ok(text.includes(`  ${name}`) && text.includes(description), name);
    for (const { line, explanation } of command.examples) t.ok(text.includes(line) && text.includes(explanation), line);
    for (const exitCode of [0, ...command.exitCodes]) {
      t.ok(text.includes(exitCodes[exitCode as keyof typeof exitCodes]), `exit code ${exitCode}`);
    }
    t.same((await runCommand(['help', ...command.name.split(' ')])).stdout, stdout, 'help NAME is the same');
  }
});

t.test('the first of two words has a help: what can follow it', async (t) => {
  for (const line of [
    ['acl', '--help'],
    ['acl', '-h'],
    ['help', 'acl'],
  ]) {
    const { code, stdout } = await runCommand(line);
    t.equal(code, 0);
    const [title, ...lines] = stdout.toString().trimEnd().split('\n');
    t.equal(title, 'Commands:');
    t.strictSame(
      lines.map((text) => text.trim().split('  ')[0]),
      testTable.map(({ name }) => name).filter((name) => name.startsWith('acl ')),
    );
  }
  t.equal(
    (await runCommand(['help', 'version'])).stdout.toString().split('\n')[0],
    'Print the version of this program and of its runtime.',
  );
});

t.test('the table is well-formed: names, flags and shorts once, counts with a unit, values named', (t) => {
  const names = testTable.map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  for (const { name, purpose, flags, examples } of testTable) {
    t.match(purpose, /\.$/, `${name} has a sentence`);
    t.ok(examples.length > 0 && examples.every(({ line }) => line.includes('quasar ')), `${name} has examples`);
    const words = flags.flatMap((flag) => [flag.name, ...(flag.short === undefined ? [] : [flag.short])]);
    t.equal(new Set(words).size, words.length, `${name} declares each flag once`);
    for (const flag of flags) {
      t.equal(flag.value === undefined, flag.kind === 'switch', `${name} --${flag.name} names its value`);
      if (flag.kind === 'count') t.ok(flag.unit, `${name} --${flag.name} has a unit`);
    }
  }
  t.end();
});

t.test('a wrong command line ends with 2, one line that says why, and where to look', async (t) => {
  const cases: [string[], RegExp][] = [
    [['ptu', 'x'], /There is no command "ptu"; did you mean "quasar put"\?\nSee "quasar --help"\./],
    [['frobnicate'], /There is no command "frobnicate"\.?\nSee/],
    [['put'], /FILE… .* is missing\.\nSee "quasar put --help"\./],
    [['get', 'a', 'b'], /"b" is one argument too many\./],
    [['put', 'x', '--parralel', '2'], /There is no flag --parralel; --parallel is near\./],
    [['put', 'x', '-z'], /There is no flag -z\./],
    [['put', 'x', '--parallel'], /argument missing/],
    [['put', 'x', '--parallel', '0'], /--parallel takes a whole number from 1 to 64, not "0"\./],
    [['put', 'x', '--parallel', '1e3'], /--parallel takes a whole number/],
    [['put', 'x', '--size', '-1'], /--size takes a whole number from 0 to \d+, not "-1"\./],
    [['put', 'x', '--name', '-r'], /--name takes a value\. Write one that begins with "-" as --name=VALUE\./],
    [['put', 'x', '--name', ''], /--name takes a file name, and it is empty\./],
    [['put', 'x', '--json=yes'], /does not take an argument/],
    [['up', '--port', '65536'], /--port takes a whole number from 0 to 65535/],
    [['put', 'x', 'y', '--name', 'z'], /--name goes with a single file\./],
    [['ls', '--url', 'localhost'], /"localhost" is no server address/],
    [['ls', '--url', 'ftp://x'], /is no server address/],
  ];
  for (const [line, expected] of cases) {
    const { code, stdout, stderr } = await runCommand(line);
    t.equal(code, 2, line.join(' '));
    t.match(stderr, expected);
    t.match(stderr, /^quasar: /);
    t.equal(stderr.trimEnd().split('\n').length, 2, 'one line and the pointer');
    t.equal(stdout.length, 0);
  }
});

t.test('without a command the overview goes to stderr and the code is 2', async (t) => {
  const { code, stderr } = await runCommand([]);
  t.equal(code, 2);
  t.match(stderr, /Commands:/);
});

t.test('with --json an error is a JSON line on stderr', async (t) => {
  const { code, stderr } = await runCommand(['get', 'x', '--json']);
  t.equal(code, 2);
  t.match(JSON.parse(stderr), { error: { code: 'bad_parameter', message: /UUID/ } });
});

t.test('a value that is a number with a minus is a value', async (t) => {
  const { parseCommandLine } = await import('../../../src/cli/flags.ts');
  const get = testTable.find(({ name }) => name === 'get');
  const parsed = parseCommandLine(get as never, ['x', '--range', '-100', '-o', '-']);
  t.equal(parsed.flags.text('range'), '-100');
  t.same(parsed.args, ['x']);
  t.same(parseCommandLine(get as never, ['--', '--range']).args, ['--range'], 'behind -- nothing is a flag');
});

t.test('up hands its flags to the role', async (t) => {
  const { upCommand } = await import('../../../src/cli/up.ts');
  const seen: unknown[] = [];
  const up = upCommand(async (flags) => {
    seen.push(flags);
    return 5;
  });
  const { parseCommandLine } = await import('../../../src/cli/flags.ts');
  const { flags } = parseCommandLine(up, ['--port', '0', '--data', 'd']);
  t.equal(await up.run({ flags } as never), 5);
  t.same(seen, [{ data: 'd', port: 0 }]);
});

/** The table at the head of docs/errors.md: kind to exit code. */
function documentedExitCodes(): Map<string, number> {
  const page = readFileSync(join(repository, 'docs', 'errors.md'), 'utf8');
  const rows = page.matchAll(/^\| ([a-z_, ]+) \|[^|]*\|[^|]*\| (\d+)[^|]*\|$/gm);
  return new Map(
    [...rows].flatMap(([, kinds, code]) => (kinds as string).split(', ').map((kind) => [kind, Number(code)] as const)),
  );
}

t.test('every error code ends a command as the documents say for its kind', (t) => {
  const documented = documentedExitCodes();
  for (const [code, { kind }] of Object.entries(errorTable)) {
    const error = new QuasarError(code as ErrorCode, { op: 'test' });
    const expected = code === 'upload_stalled' ? 5 : documented.get(kind);
    t.equal(exitCodeOf(error), expected, code);
    t.ok(exitCodeOf(error) in exitCodes, code);
  }
  t.match(Object.fromEntries(documented), {
    invalid: 2,
    forbidden: 2,
    too_large: 2,
    gone: 3,
    precondition: 4,
    full: 5,
    corrupt: 6,
  });
  t.equal(exitCodeOf(new Error('ours')), 1);
  t.end();
});

t.test('only who interrupts a command ends it as interrupted, not a server that cuts the request', (t) => {
  t.equal(exitCodeOf(new QuasarError('cancelled', { op: 'cli.run', message: 'Interrupted.' })), 130);
  t.equal(exitCodeOf(new QuasarError('cancelled', { op: 'cli.request', details: { status: 499 } })), 5);
  t.equal(exitCodeOf(new QuasarError('upload_stalled', { op: 'cli.request', details: { status: 408 } })), 5);
  t.end();
});

t.test('words near a candidate find it, others find nothing', (t) => {
  t.equal(editDistance('kitten', 'sitting'), 3);
  t.equal(editDistance('ab', 'ba'), 1);
  t.equal(editDistance('', 'abc'), 3);
  t.equal(nearest('vrsion', ['put', 'version']), 'version');
  t.equal(nearest('xyzzy', ['put', 'version']), undefined);
  t.end();
});

t.test("version prints the package's", async (t) => {
  const { stdout, code } = await runCommand(['version']);
  t.equal(code, 0);
  t.ok(stdout.toString().startsWith(`quasar ${packageVersion()} (Node ${process.versions.node}`));
  t.same((await runCommand(['--version'])).stdout, stdout);
});
