import t from 'tap';
import { parseDuration, parseShare, parseSize, parseSpeed } from '../../../../bench/load/plan/quantity.ts';
import { drawSize, parseSizeSpread, type SizeSpread } from '../../../../bench/load/plan/size-spread.ts';
import { Dice } from '../../../../bench/load/requests/dice.ts';

t.test('quantities have the units people write', async (t) => {
  t.equal(parseSize('100'), 100);
  t.equal(parseSize('64KiB'), 65_536);
  t.equal(parseSize('1.5MB'), 1_500_000);
  t.equal(parseDuration('50ms'), 50);
  t.equal(parseDuration('2m'), 120_000);
  t.equal(parseSpeed('2MB/s'), 2_000_000);
  t.equal(parseShare('10%'), 0.1);
});

t.test('anything else is no quantity', async (t) => {
  for (const text of ['', 'MB', '-1', '1 MB', '1mb', '1e3', '1MB/s']) t.equal(parseSize(text), undefined, text);
  for (const text of ['5', '5 s', '1d']) t.equal(parseDuration(text), undefined, text);
  for (const text of ['10', '101%', '0.1']) t.equal(parseShare(text), undefined, text);
  t.equal(parseSpeed('2MB'), undefined);
});

t.test('sizes are one, between two, or about a median', async (t) => {
  t.strictSame(parseSizeSpread('100KiB'), { least: 102_400, most: 102_400 });
  t.strictSame(parseSizeSpread('1KB..2MB'), { least: 1000, most: 2_000_000 });
  t.strictSame(parseSizeSpread('1KB..2MB~30KB'), { least: 1000, most: 2_000_000, median: 30_000 });
  for (const text of ['2MB..1KB', '1KB..2MB~3MB', '1KB~', '1..2..3', '..']) t.equal(parseSizeSpread(text), undefined, text);
});

t.test('sizes that are drawn stay within their bounds, and about the median', async (t) => {
  const spread = parseSizeSpread('50KB..300MB~2MB') as SizeSpread;
  const drawn = Array.from({ length: 4001 }, (_, index) => drawSize(spread, new Dice(7, index))).sort((a, b) => a - b);
  t.ok((drawn[0] as number) >= 50_000 && (drawn.at(-1) as number) <= 300_000_000);
  const median = drawn[2000] as number;
  t.ok(median > 1_800_000 && median < 2_200_000, `the median is ${median}`);
});

t.test('between two sizes, each doubling is as likely as the next', async (t) => {
  const drawn = Array.from({ length: 4000 }, (_, index) => drawSize({ least: 1024, most: 16_384 }, new Dice(7, index)));
  for (const least of [1024, 2048, 4096, 8192]) {
    const share = drawn.filter((size) => size >= least && size < 2 * least).length / drawn.length;
    t.ok(share > 0.22 && share < 0.28, `${least}: ${share}`);
  }
});
