import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Secret } from '../../../src/config/secret.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import { openPinoLog, type PinoLogOptions } from '../../../src/telemetry/pino-log.ts';

async function logInto(options: Partial<PinoLogOptions> = {}) {
  const lines: string[] = [];
  const log = await openPinoLog({
    level: 'debug',
    format: 'json',
    output: { write: (line: string) => void lines.push(line) },
    ...options,
  });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

t.test('a line is one JSON object with level, time, fields and message', async (t) => {
  const { log, lines, parsed } = await logInto();
  log.info({ bytes: 5 }, 'done');
  t.equal(lines[0]?.at(-1), '\n');
  const [{ time, ...rest }] = parsed();
  t.same(rest, { level: 'info', bytes: 5, msg: 'done' });
  t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

t.test('lines below the level are not written', async (t) => {
  const { log, parsed } = await logInto({ level: 'warn' });
  log.debug({}, 'debug');
  log.info({}, 'info');
  log.warn({}, 'warn');
  log.error({}, 'error');
  t.same(
    parsed().map(({ level }) => level),
    ['warn', 'error'],
  );
});

t.test('a child adds its bindings to every line', async (t) => {
  const { log, parsed } = await logInto();
  log.child({ requestId: 'r1' }).child({ route: '/v1/health' }).info({}, 'request');
  t.match(parsed()[0], { requestId: 'r1', route: '/v1/health', msg: 'request' });
});

t.test('a repeated line is what info would write', async (t) => {
  const { log, parsed } = await logInto();
  const child = log.child({ part: 'http' });
  const write = child.repeated({ route: '/v1/x', status: 200, password: 'hunter2' }, ['requestId', 'ms'], 'request');
  write(['r"1\\ü', 0.5]);
  child.info({ route: '/v1/x', status: 200, password: 'hunter2', requestId: 'r"1\\ü', ms: 0.5 }, 'request');
  const [repeated, plain] = parsed();
  t.same({ ...repeated, time: plain.time }, plain);
  t.match(repeated.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.equal(repeated.password, '[redacted]');
});

t.test('a repeated line below the level is not written', async (t) => {
  const { log, lines } = await logInto({ level: 'warn' });
  log.repeated({}, ['a'], 'x')([1]);
  t.same(lines, []);
});

t.test('a repeated line without fields is a line', async (t) => {
  const { log, parsed } = await logInto();
  log.repeated({}, [], 'tick')([]);
  t.match(parsed()[0], { level: 'info', msg: 'tick' });
});

t.test('secrets are not written, wherever they stand', async (t) => {
  const { log, lines } = await logInto();
  const secret = new Secret('hunter2');
  log.info(
    { secret, deep: { of: { url: secret } }, password: 'hunter2', headers: { authorization: 'hunter2', cookie: 'hunter2' } },
    'x',
  );
  log.error({ error: new QuasarError('config_invalid', { op: 'x.y', details: { secret } }) }, 'x');
  t.notMatch(lines.join(''), 'hunter2');
});

t.test('an error of ours is its code, operation, details and causes, without stack', async (t) => {
  const { log, parsed } = await logInto();
  const cause = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  log.error({ error: new QuasarError('storage_full', { op: 'segment.append', details: { free: 1 }, cause }) }, 'full');
  const { error } = parsed()[0];
  t.match(error, {
    code: 'storage_full',
    op: 'segment.append',
    details: { free: 1 },
    cause: { code: 'ENOSPC', message: 'no space' },
  });
  t.notOk('stack' in error);
  t.match(error.cause.stack, 'pino-log.test');
});

t.test('a bug keeps its stack, and a thrown value that is no error is told as text', async (t) => {
  const { log, parsed } = await logInto();
  log.error({ error: new QuasarError('internal', { op: 'http.handle', cause: new TypeError('x') }) }, 'bug');
  log.error({ error: 'text' }, 'odd');
  const loop = new Error('loop');
  loop.cause = loop;
  log.error({ error: loop }, 'a cause of itself');
  t.type(parsed()[0].error.stack, 'string');
  t.same(parsed()[1].error, { message: 'text' });
  t.equal(parsed().length, 3);
});

t.test('pretty lines are for people', async (t) => {
  const { log, lines } = await logInto({ format: 'pretty' });
  log.warn({ bytes: 5 }, 'careful');
  t.match(lines.join(''), /WARN.*careful/s);
  t.throws(() => JSON.parse(lines.join('')));
});

const PROGRAM = `
import { openPinoLog } from ${JSON.stringify(new URL('../../../src/telemetry/pino-log.js', import.meta.url).href)};
const log = await openPinoLog({ level: 'info', format: 'json' });
for (let index = 0; index < 1000; index++) log.info({ index }, 'line');
`;

for (const [how, ending, status] of [
  ['returns', '', 0],
  ['is ended by process.exit', 'process.exit(3)', 3],
  ['throws', 'throw new Error("x")', 1],
  ['closed its log', 'log.close()', 0],
] as const) {
  t.test(`what was logged is written when the program ${how}`, async (t) => {
    const result = spawnSync(process.execPath, ['--input-type=module', '--eval', PROGRAM + ending], {
      encoding: 'utf8',
      cwd: fileURLToPath(new URL('.', import.meta.url)),
    });
    t.equal(result.status, status);
    const lines = result.stdout.trim().split('\n');
    t.same(
      lines.map((line) => JSON.parse(line).index),
      Array.from({ length: 1000 }, (_, index) => index),
    );
  });
}

t.test('a reader that goes away does not end the program', async (t) => {
  const script = `${PROGRAM} setTimeout(() => { log.warn({}, 'still here'); setTimeout(() => process.stderr.write('alive'), 50); }, 50);`;
  const result = spawnSync(
    'sh',
    ['-c', '"$0" --input-type=module --eval "$1" | head -n 1 >/dev/null', process.execPath, script],
    { encoding: 'utf8' },
  );
  t.match(result.stderr, 'alive');
});
