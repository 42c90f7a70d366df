import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t, { type Test } from 'tap';
import { type ReadConfigOptions, type ReadConfigResult, readConfig } from '../../../src/config/read-config.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const NOWHERE = '/nonexistent/quasar/config';

function read(t: Test, files: Record<string, string>, options: ReadConfigOptions = {}): Promise<ReadConfigResult> {
  const configDirectory = temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(configDirectory, name), text);
  return readConfig({ configDirectory, env: {}, ...options });
}

async function problemsOf(work: Promise<unknown>): Promise<readonly string[]> {
  const error = await work.then(
    () => new Error('must be refused'),
    (error: unknown) => error,
  );
  if (!(error instanceof QuasarError) || error.code !== 'config_invalid') throw error;
  const problems = error.details.problems as readonly string[];
  if (!error.message.startsWith(problems[0] as string)) throw new Error('the message tells the first problem');
  return problems;
}

t.test('without a folder every key has its default', async (t) => {
  const { config, files, values } = await readConfig({ standardDirectory: NOWHERE, env: {} });
  t.equal(config.directory, undefined);
  t.same(files, []);
  t.equal(config.dataDirectory, resolve('data'));
  t.equal(config.secretsDirectory, resolve('data/secrets'));
  const nobody = { trustedProxies: [], forwardedHeader: 'auto' };
  t.same(config.http, { host: '127.0.0.1', port: 8080, adapter: 'net', connectionsMax: 4096, behindTlsProxy: false, ...nobody });
  t.equal(config.tokens.keys, undefined);
  t.same(config.rates, {
    requestsPerKey: 0,
    requestsPerOrg: 0,
    bytesPerKey: 0,
    bytesPerOrg: 0,
    refusalsPerAddress: 10,
    burstMs: 10_000,
  });
  t.equal(config.uploads.inFlightMax, limits.uploadsInFlightMax);
  t.equal(config.memory.uploadSlotsMax, limits.uploadSlotsMax);
  t.equal(config.database.url, undefined);
  t.ok(values.every((value) => value.source.kind === 'default'));
});

t.test('the standard folder is used when it is there', async (t) => {
  const standardDirectory = temporaryFolder(t);
  writeFileSync(join(standardDirectory, 'logging.conf'), 'level = debug');
  const { config } = await readConfig({ standardDirectory, env: {} });
  t.equal(config.directory, standardDirectory);
  t.equal(config.logging.level, 'debug');
});

t.test('a folder that was asked for must be there', async (t) => {
  const [problem] = await problemsOf(readConfig({ configDirectory: NOWHERE }));
  t.match(problem, NOWHERE);
});

t.test('a switch is true, false, or what the environment spells', async (t) => {
  for (const [text, expected] of [
    ['true', true],
    ['false', false],
    [`\${SCRUB}`, false],
  ] as const) {
    const { config } = await read(
      t,
      { 'storage.conf': `scrub.enabled = ${text}\nscrub.interval = 7d` },
      { env: { SCRUB: 'false' } },
    );
    t.same(config.storage.scrub, { enabled: expected, intervalMs: 7 * 86_400_000, rateMax: limits.scrubRateMax });
  }
});

t.test('flags win over files, files over defaults', async (t) => {
  const { config } = await read(t, { 'quasar.conf': 'http.port = 9000\nhttp.host = "::1"' }, { flags: { port: 9001 } });
  t.equal(config.http.port, 9001);
  t.equal(config.http.host, '::1');
});

t.test('a path in a file starts at the config folder, a path in a flag at the working directory', async (t) => {
  const { config } = await read(t, { 'quasar.conf': 'data = ./store' });
  t.equal(config.dataDirectory, join(config.directory as string, 'store'));
  t.equal(config.secretsDirectory, join(config.directory as string, 'secrets'));
  const flagged = await read(t, { 'quasar.conf': 'data = ./store' }, { flags: { data: 'here' } });
  t.equal(flagged.config.dataDirectory, resolve('here'));
});

t.test('sizes and durations carry their unit', async (t) => {
  const { config } = await read(t, {
    'quasar.conf': 'uploads { sizeMax = 1.5GiB, lifetime = 2 d }\nshutdown.drainTime = 500ms',
    'storage.conf': 'segmentSize = 128MiB',
  });
  t.equal(config.uploads.sizeMax, 1.5 * 1024 ** 3);
  t.equal(config.uploads.lifetimeMs, 2 * 86_400_000);
  t.equal(config.shutdown.drainMs, 500);
  t.equal(config.storage.segmentSize, 128 * 1024 ** 2);
});

t.test('a value from the environment is read like one from the file', async (t) => {
  const { config } = await read(t, { 'quasar.conf': 'http.port = $' + '{?PORT}' }, { env: { PORT: '9000' } });
  t.equal(config.http.port, 9000);
});

t.test('an unknown key is refused and the nearest known one named', async (t) => {
  const [problem] = await problemsOf(read(t, { 'quasar.conf': '# head\nhttp.prot = 1' }));
  t.match(problem, /quasar\.conf line 2: "http\.prot" is not a key of quasar\.conf; did you mean "http\.port"\?$/);
});

t.test('a key far from all known ones is told what there is', async (t) => {
  const [problem] = await problemsOf(read(t, { 'logging.conf': 'zzzzzzzzzzzz = 1' }));
  t.match(problem, /it has level, format/);
});

t.test('a file whose name is nearly right is not ignored in silence', async (t) => {
  const [problem] = await problemsOf(read(t, { 'qasar.conf': '' }));
  t.match(problem, /qasar\.conf is no config file of Quasar; did you mean quasar\.conf\?/);
});

t.test('files of capabilities to come may lie there, but have no keys', async (t) => {
  await read(t, { 'redis.conf': '# nothing yet\n', 'minio.conf': '', 'plugins.conf': '' });
  const [problem] = await problemsOf(read(t, { 'redis.conf': 'url = "redis://x"' }));
  t.match(problem, /redis\.conf line 1: "url" is set, but this version uses no key of redis\.conf/);
});

const mistyped: readonly [file: string, line: string, expected: RegExp][] = [
  ['quasar.conf', 'http.port = 70000', /a port from 0/],
  ['quasar.conf', 'http.port = 80x', /a port from 0 .*, but it is "80x"/],
  ['quasar.conf', 'http.port = -1', /a port/],
  ['quasar.conf', 'http.port = 8080.5', /a port/],
  ['quasar.conf', 'http.port = true', /a port/],
  ['quasar.conf', 'http.port = null', /a port/],
  ['quasar.conf', 'http = 1', /"http" is not a key/],
  ['quasar.conf', 'http.port { a = 1 }', /"http.port.a" is not a key/],
  ['quasar.conf', 'http.adapter = nginx', /must be net or node/],
  ['quasar.conf', 'uploads.inFlightMax = 0', /a whole number from 1 to/],
  ['quasar.conf', 'uploads.inFlightMax = 1.5', /a whole number/],
  ['quasar.conf', 'uploads.sizeMax = 100', /a size like 256MiB/],
  ['quasar.conf', 'uploads.sizeMax = 10MB', /a size like 256MiB/],
  ['quasar.conf', 'uploads.sizeMax = 2TiB', /to 1TiB/],
  ['quasar.conf', 'uploads.sizeMax = 1constructor', /a size like/],
  ['quasar.conf', 'uploads.lifetime = 7', /a duration like 30s/],
  ['quasar.conf', 'uploads.lifetime = 7 days', /a duration like 30s/],
  ['quasar.conf', 'memory.slabSize = 100.5MiB', /a multiple of 1MiB/],
  ['quasar.conf', 'data = ""', /a path/],
  ['quasar.conf', 'http.behind-tls-proxy = 1', /true or false/],
  ['quasar.conf', 'rates.requestsPerKey = 0.5', /a whole number from 0/],
  ['quasar.conf', 'rates.bytesPerOrg = 100', /a size like 256MiB/],
  ['quasar.conf', 'rates.burst = 500ms', /from 1s/],
  ['storage.conf', 'freeSpaceFloor.ratio = 95', /a number from 0 to 0.9/],
  ['storage.conf', 'directIo = on', /auto or off/],
  ['storage.conf', 'scrub.enabled = yes', /true or false/],
  ['storage.conf', 'scrub.rateMax = 100KiB', /from 1MiB/],
  ['db.conf', 'url = "mysql://x"', /an address like "postgres:/],
];

for (const [file, line, expected] of mistyped) {
  t.test(`${line} is refused with what was expected`, async (t) => {
    const [problem] = await problemsOf(read(t, { [file]: line }));
    t.match(problem, `${file} line 1`);
    t.match(problem, expected);
  });
}

for (const host of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '::ffff:10.0.0.1', 'fe80::1']) {
  t.test(`listening on ${host} needs a proxy that speaks TLS`, async (t) => {
    const [flagged] = await problemsOf(readConfig({ standardDirectory: NOWHERE, flags: { host } }));
    t.match(flagged, /^--host is .*plain HTTP.*"http.behind-tls-proxy" in quasar.conf to true, or listen on 127.0.0.1$/);
    const [problem] = await problemsOf(read(t, { 'quasar.conf': `http.host = "${host}"` }));
    t.match(problem, /^quasar.conf: "http.host" is /);
    const { config } = await read(t, { 'quasar.conf': 'http.behind-tls-proxy = true' }, { flags: { host } });
    t.match(config.http, { host, behindTlsProxy: true });
  });
}

for (const host of ['example.org', '127.1', '127.0.0.256', '127.0.0.01', '[::1]', '']) {
  t.test(`"${host}" is no address to listen on`, async (t) => {
    const [problem] = await problemsOf(readConfig({ standardDirectory: NOWHERE, flags: { host } }));
    t.match(problem, /^--host must be an IP address/);
  });
}

for (const host of ['127.0.0.1', '127.8.8.8', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost']) {
  t.test(`listening on ${host} is fine`, async (t) => {
    t.equal((await readConfig({ standardDirectory: NOWHERE, flags: { host } })).config.http.host, host);
  });
}

t.test('all problems are told, not only the first', async (t) => {
  const files = { 'quasar.conf': 'a = 1\nhttp.port = x', 'logging.conf': 'level = loud' };
  const problems = await problemsOf(read(t, files, { flags: { host: '0.0.0.0' } }));
  t.equal(problems.length, 4);
});

t.test('more uploads than the slab has room for are refused', async (t) => {
  const [problem] = await problemsOf(read(t, { 'quasar.conf': 'memory.slabSize = 16MiB' }));
  t.match(problem, /"uploads.inFlightMax" is 100, but "memory.slabSize" has room for 15 uploads/);
  const { config } = await read(t, { 'quasar.conf': 'memory.slabSize = 16MiB\nuploads.inFlightMax = 15' });
  t.equal(config.memory.uploadSlotsMax, 15);
});

t.test('a direct address alone is refused as a missing key', async (t) => {
  const [problem] = await problemsOf(read(t, { 'db.conf': 'directUrl = "postgres://h/d"' }));
  t.match(problem, /"url" is missing/);
});

t.test('the direct address is the address unless it is set', async (t) => {
  const { config } = await read(t, { 'db.conf': 'url = "postgres://h/d"' });
  t.equal(config.database.directUrl?.reveal(), 'postgres://h/d');
});

t.test('a file that cannot be read, or is no text of sane size, is refused', async (t) => {
  const configDirectory = temporaryFolder(t);
  mkdirSync(join(configDirectory, 'quasar.conf'));
  t.match((await problemsOf(readConfig({ configDirectory })))[0], /cannot be read \(EISDIR\)/);
  const pipes = temporaryFolder(t);
  execFileSync('mkfifo', [join(pipes, 'quasar.conf')]);
  t.match((await problemsOf(readConfig({ configDirectory: pipes })))[0], /it is not a file/, 'at once');
  const large = await problemsOf(read(t, { 'quasar.conf': '#'.repeat(limits.configFileMax + 1) }));
  t.match(large[0], /larger than/);
});

t.test('a password in an address is shown nowhere', async (t) => {
  const result = await read(t, { 'db.conf': 'url = "postgres://u:hunter2@h/d"' });
  t.notMatch(JSON.stringify(result), 'hunter2');
  const problems = await problemsOf(read(t, { 'db.conf': 'url = "postgre://u:hunter2@h/d"' }));
  t.notMatch(problems.join(), 'hunter2');
});

t.test('each value is told with where it came from', async (t) => {
  const { values } = await read(t, { 'quasar.conf': '\nhttp.port = 9000' }, { flags: { data: '/srv/q' } });
  const told = (name: string) => values.find(({ file, key }) => file === 'quasar.conf' && key === name);
  t.match(told('http.port'), { shown: '9000', source: { kind: 'file', line: 2 } });
  t.match(told('data'), { shown: '/srv/q', source: { kind: 'flag' } });
  t.match(told('uploads.sizeMax'), { shown: '1TiB', source: { kind: 'default' } });
});

t.test('secrets others may read are refused before anything uses them', async (t) => {
  const configDirectory = temporaryFolder(t);
  mkdirSync(join(configDirectory, 'secrets'));
  writeFileSync(join(configDirectory, 'secrets', 'good'), 'x', { mode: 0o600 });
  writeFileSync(join(configDirectory, 'secrets', '.hidden'), 'x', { mode: 0o644 });
  await readConfig({ configDirectory });
  writeFileSync(join(configDirectory, 'secrets', 'open'), 'x', { mode: 0o644 });
  writeFileSync(join(configDirectory, 'secrets', 'unchanged'), 'CHANGE-ME\n', { mode: 0o600 });
  const problems = await problemsOf(readConfig({ configDirectory }));
  t.match(problems, [/chmod 600 .*open/, /unchanged still is CHANGE-ME/]);
  t.equal(problems.length, 2);
});
