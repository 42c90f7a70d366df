import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseHeaderLines } from '../../../../bench/load/http/wire-head.ts';
import { load } from '../../../../bench/load/main.ts';
import { flagTexts } from '../../../../bench/load/plan/flags.ts';
import { helpText } from '../../../../bench/load/plan/help.ts';
import { parseCommandLine, planLoad } from '../../../../bench/load/plan/parse-command-line.ts';
import { temporaryFolder } from '../../../helpers/temporary-folder.ts';

const url = ['--url', 'http://127.0.0.1:8080'];
const plan = (...argv: string[]) => planLoad(parseCommandLine(argv), { paths: [], newSeed: 5 });

t.test('a profile decides what flags leave open', async (t) => {
  const reading = plan(...url, '--profile', 'reading', '--documents', '3');
  t.strictSame(reading.mix, [{ kind: 'range', weight: 100 }]);
  t.strictSame(reading.rangeSize, { least: 65_536, most: 1_048_576 });
  t.equal(reading.zipf, 1);
  t.equal(reading.documents, 3);
  t.equal(reading.seed, 5);
  t.strictSame(reading.loop, { kind: 'closed', thinkMs: 0 });
  t.equal(plan(...url, '--profile', 'upload').documents, 0, 'nothing is read');
});

t.test('flags say the rest', async (t) => {
  const given = plan(...url, '--mix', 'upload=95,range=5', '--rate', '200', '--arrivals', 'uniform', '--slow', '10%:2MB/s');
  t.strictSame(given.mix, [
    { kind: 'upload', weight: 95 },
    { kind: 'range', weight: 5 },
  ]);
  t.strictSame(given.loop, { kind: 'open', rate: 200, arrivals: 'uniform' });
  t.strictSame(given.slow, { share: 0.1, bytesPerSecond: 2_000_000 });
  t.equal(given.connections, 256);
  t.equal(plan('--url', 'http://host:9000/bucket/', '--driver', 's3', '--profile', 'range').url, 'http://host:9000/bucket');
});

t.test('what would have to be guessed is refused in one line that says what to type', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--profile', 'range'], /--url http/],
    [url, /--profile ingest, reading, clerk/],
    [[...url, '--profil', 'range'], /--profile is near/],
    [[...url, '--profile', 'rang'], /ingest, reading, clerk, upload, download, range/],
    [[...url, '--mix', 'upload'], /upload=95,range=5/],
    [[...url, '--mix', 'upload=1,upload=2'], /twice/],
    [[...url, '--mix', 'delete=1'], /upload, download, range, metadata, list/],
    [[...url, '--driver', 'http', '--profile', 'clerk'], /--mix metadata=60,download=25,upload=5/],
    [[...url, '--driver', 's3', '--profile', 'range'], /bucket/],
    [['--url', 'ftp://host', '--profile', 'range'], /no server address/],
    [['--url', 'http://me:secret@host', '--profile', 'range'], /--header-file/],
    [[...url, '--profile', 'range', '--size', '5 MB'], /100KiB/],
    [[...url, '--profile', 'range', '--rate', '5', '--think', '1s'], /one of them/],
    [[...url, '--profile', 'range', '--arrivals', 'uniform'], /name the rate/],
    [[...url, '--profile', 'range', '--rate', '0'], /requests a second/],
    [[...url, '--profile', 'range', '--slow', '2MB/s'], /10%:2MB\/s/],
    [[...url, '--profile', 'range', '--connections', '0'], /at least 1/],
    [[...url, '--profile', 'range', '--duration', '30'], /5s or 2m/],
    [[...url, '--profile', 'range', '--duration', '1000h'], /at most/],
    [[...url, '--profile', 'range', '--duration'], /--help/],
    [[...url, '--profile', 'range', 'more'], /--help/],
  ];
  for (const [argv, message] of cases) {
    t.throws(() => plan(...argv), { message }, argv.join(' '));
    t.throws(() => plan(...argv), { message: /^[^\n]*$/ });
  }
});

t.test('the help names every flag', async (t) => {
  for (const { name } of flagTexts) t.match(helpText(), new RegExp(`--${name}\\b`));
});

t.test('header files are read, and what is no header is refused', async (t) => {
  t.strictSame(parseHeaderLines('# access\nAuthorization: Bearer abc\r\n\nX-Team:  court \n'), [
    ['Authorization', 'Bearer abc'],
    ['X-Team', 'court'],
  ]);
  for (const text of ['Bearer abc', 'Na me: x', ': x', 'Name: \u0001']) t.equal(parseHeaderLines(text), undefined, text);
});

t.test('a command line that cannot be done ends with 2, a server that is not there with 1', async (t) => {
  const folder = temporaryFolder(t);
  t.equal(await load([]), 2);
  t.equal(await load([...url, '--profile', 'range', '--header-file', join(folder, 'none')]), 2);
  t.equal(await load([...url, '--profile', 'range', '--key-file', join(folder, 'none')]), 2);
  writeFileSync(join(folder, 'key'), 'two\nlines\n');
  t.equal(await load([...url, '--profile', 'range', '--key-file', join(folder, 'key')]), 2);
  writeFileSync(join(folder, 'paths'), 'https://elsewhere/x\n');
  t.equal(await load([...url, '--profile', 'range', '--paths', join(folder, 'paths')]), 2);
  writeFileSync(join(folder, 'empty'), '\n');
  t.equal(await load([...url, '--profile', 'range', '--paths', join(folder, 'empty')]), 2);
  t.equal(await load(['--url', 'http://127.0.0.1:1', '--profile', 'range']), 1);
});
