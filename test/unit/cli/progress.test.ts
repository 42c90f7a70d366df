import { PassThrough } from 'node:stream';
import t from 'tap';
import { bar, progressLine, RateMeter, shorten } from '../../../src/cli/progress.ts';
import { ProgressDisplay } from '../../../src/cli/progress-display.ts';
import { printable, Terminal } from '../../../src/cli/terminal.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from '../../../src/cli/units.ts';
import type { Clock } from '../../../src/core/clock.ts';

const MiB = 1024 * 1024;

t.test('sizes, times, rates and counts read well', (t) => {
  t.same([0, 1, 1023, 1024, 1536, MiB - 1, MiB, 5.25 * 1024 * MiB, 2 ** 50].map(formatBytes), [
    '0 B',
    '1 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '1.0 MiB',
    '5.3 GiB',
    '1024.0 TiB',
  ]);
  t.same([0, 320, 9999, 10_000, 59_400, 187_000, 8_045_000].map(formatDuration), [
    '0.0 s',
    '0.3 s',
    '10.0 s',
    '10 s',
    '59 s',
    '3:07',
    '2:14:05',
  ]);
  t.equal(formatRate(2.5 * MiB), '2.5 MiB/s');
  t.same([7, 1234, 1_234_567].map(formatCount), ['7', '1,234', '1,234,567']);
  t.end();
});

t.test('the rate is that of the last seconds', (t) => {
  const meter = new RateMeter();
  t.equal(meter.rate(0, 0), undefined);
  meter.sample(0, 0);
  t.equal(meter.rate(100, 5), undefined, 'too early to tell');
  t.equal(meter.rate(1000, 500), 500);
  for (let at = 250; at <= 30_000; at += 250) meter.sample(at, at <= 10_000 ? 0 : at - 10_000);
  t.equal(meter.rate(30_000, 20_000), 1000, 'the slow start has left the window');
  meter.sample(31_000, 0);
  t.equal(meter.rate(31_000, 0), 0, 'never negative after a step back');
  t.end();
});

t.test('a line fits its terminal, whatever its width', (t) => {
  const facts = { name: 'records/2026/Akte-0412.pdf', done: 45 * MiB, size: 100 * MiB, rate: 11 * MiB };
  t.equal(
    progressLine(facts, 100),
    'records/2026/Akte-0412.pdf         [=========>          ]  45 % of 100.0 MiB  11.0 MiB/s  5.0 s left',
  );
  for (let columns = 0; columns < 130; columns++) t.ok([...progressLine(facts, columns)].length <= columns, `${columns}`);
  t.equal(
    progressLine({ ...facts, size: undefined }, 60)
      .trimEnd()
      .slice(-22),
    '45.0 MiB  11.0 MiB/s'.padStart(22),
  );
  t.match(progressLine({ ...facts, rate: undefined }, 100), / 45 % of 100\.0 MiB$/);
  t.match(progressLine({ ...facts, done: 0, size: 0 }, 100), /100 % of 0 B/);
  t.end();
});

t.test('a bar grows from empty to full and no further', (t) => {
  t.equal(bar(0, 10, 5), '>    ');
  t.equal(bar(5, 10, 5), '==>  ');
  t.equal(bar(10, 10, 5), '=====');
  t.equal(bar(20, 10, 5), '=====');
  t.equal(shorten('abcdef', 4), '…def');
  t.equal(shorten('abc', 4), 'abc');
  t.end();
});

function display(interactive: boolean) {
  let now = 0;
  const stderr = new PassThrough({ encoding: 'utf8' });
  const clock: Clock = { now: () => now, monotonic: () => now, random: (size) => new Uint8Array(size) };
  const terminal = new Terminal({
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr,
    interactive,
    typed: false,
    columns: () => 81,
  });
  return { shown: new ProgressDisplay(terminal, clock), stderr, tick: (ms: number) => (now += ms) };
}

t.test('each running file has a line, and all together one', (t) => {
  const { shown, tick } = display(false);
  const a = shown.begin('a.pdf', 10 * MiB);
  t.equal(shown.lines(0, 80).length, 1, 'a single file needs no total');
  const b = shown.begin('b\n.pdf', undefined);
  shown.expect(3, 30 * MiB);
  a.reach(5 * MiB);
  b.reach(MiB);
  shown.lines(0, 80);
  tick(1000);
  a.reach(10 * MiB);
  t.same(
    shown.lines(1000, 80).map((line) => line.replace(/ {2,}/g, '  ')),
    [
      'a.pdf  [====================] 100 % of 10.0 MiB  10.0 MiB/s',
      'b\\u{a}.pdf  1.0 MiB  0 B/s',
      '0 of 3 files  [=======>  ]  36 % of 30.0 MiB  11.0 MiB/s  1.7 s left',
    ],
  );
  a.end();
  t.equal(shown.lines(1000, 80).length, 2);
  b.end();
  t.match(shown.lines(1000, 80), [/^2 of 3 files/]);
  shown.close();
  t.end();
});

t.test('the block is redrawn in place, and taken away before anything else is printed', async (t) => {
  const { shown, stderr } = display(true);
  const transfer = shown.begin('a.pdf', 100);
  shown.draw();
  shown.draw();
  await shown.above(() => void stderr.write('said\n'));
  transfer.end();
  shown.close();
  const text = stderr.read() as string;
  t.equal(text.split('\u001b[1A\u001b[J').length - 1, 2, 'once for the second drawing, once for the line');
  t.ok(text.endsWith('\u001b[1A\u001b[Jsaid\n'));
});

t.test('in a pipe nothing is drawn', (t) => {
  const { shown, stderr } = display(false);
  shown.begin('a.pdf', 100);
  shown.draw();
  shown.close();
  t.equal(stderr.read(), null);
  t.end();
});

t.test('text from elsewhere is shown without what commands a terminal', (t) => {
  t.equal(printable('Akte Ü.pdf'), 'Akte Ü.pdf');
  t.equal(printable('a\u001b]0;x\u0007\n\u202eb\u2028\ud800'), 'a\\u{1b}]0;x\\u{7}\\u{a}\\u{202e}b\\u{2028}\\u{d800}');
  t.end();
});
