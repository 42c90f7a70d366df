import t from 'tap';
import { parseCommandLine, planLoad } from '../../../../bench/load/plan/parse-command-line.ts';
import type { LoadPlan } from '../../../../bench/load/plan/plan.ts';
import { Documents } from '../../../../bench/load/requests/documents.ts';
import { placeRange } from '../../../../bench/load/requests/perform-read.ts';
import { planDocument, planRequest } from '../../../../bench/load/requests/planned-request.ts';
import { Popularity } from '../../../../bench/load/requests/popularity.ts';
import { RequestNumbers } from '../../../../bench/load/requests/request-source.ts';
import { cutAfter } from '../../../../bench/load/requests/request-tools.ts';

function plan(...flags: string[]): LoadPlan {
  const argv = ['--url', 'http://127.0.0.1:1', ...flags];
  return planLoad(parseCommandLine(argv), { paths: [], newSeed: 5 });
}

t.test('requests are decided by seed and number, not by how many workers or connections there are', async (t) => {
  const one = plan('--profile', 'ingest', '--seed', '9', '--workers', '1');
  const two = plan('--profile', 'ingest', '--seed', '9', '--workers', '2', '--connections', '90');
  for (let index = 0; index < 100; index += 1) t.strictSame(planRequest(one, index), planRequest(two, index));
  t.strictSame(planDocument(one, 3), planDocument(two, 3));
  const other = plan('--profile', 'ingest', '--seed', '10');
  t.notSame(planRequest(one, 1), planRequest(other, 1));
});

t.test('cutting some does not change the others', async (t) => {
  const whole = plan('--profile', 'upload', '--size', '1KB..1MB', '--seed', '9');
  const cut = plan('--profile', 'upload', '--size', '1KB..1MB', '--seed', '9', '--abort', '20%');
  let count = 0;
  for (let index = 0; index < 1000; index += 1) {
    const { cutAt, ...request } = planRequest(cut, index);
    t.strictSame({ ...request, cutAt: undefined }, planRequest(whole, index));
    if (cutAt !== undefined) count += 1;
  }
  t.ok(count > 150 && count < 250, `${count} of 1000 are cut`);
});

t.test('a mix has its shares', async (t) => {
  const mixed = plan('--mix', 'upload=95,range=5', '--seed', '1');
  const uploads = Array.from({ length: 10_000 }, (_, index) => planRequest(mixed, index).kind).filter(
    (kind) => kind === 'upload',
  );
  t.ok(uploads.length > 9400 && uploads.length < 9600, `${uploads.length} uploads`);
});

t.test('popularity follows its exponent', async (t) => {
  const even = new Popularity(4, 0);
  t.strictSame(
    [0, 0.25, 0.5, 0.999].map((thrown) => even.pick(thrown)),
    [0, 1, 2, 3],
  );
  const favourite = new Popularity(3, 1);
  // Weights 6, 3 and 2 of 11.
  t.strictSame(
    [0, 0.54, 0.55, 0.81, 0.82, 0.999].map((thrown) => favourite.pick(thrown)),
    [0, 0, 1, 1, 2, 2],
  );
});

t.test('ranges lie within the document, from its first byte to its last', async (t) => {
  t.strictSame(placeRange({ rangeSize: 10, rangeAt: 0 }, 100), { start: 0, end: 10 });
  t.strictSame(placeRange({ rangeSize: 10, rangeAt: 0.9999 }, 100), { start: 90, end: 100 });
  t.strictSame(placeRange({ rangeSize: 10, rangeAt: 0.5 }, 4), { start: 0, end: 4 });
});

t.test('a cut lies within the body', async (t) => {
  t.equal(cutAfter(0, 100), 1);
  t.equal(cutAfter(0.9999, 100), 99);
  t.equal(cutAfter(0.5, 1), undefined);
  t.equal(cutAfter(undefined, 100), undefined);
});

t.test('workers share the numbers of requests; warm-up takes none of them', async (t) => {
  const numbers = [0, 1, 2].map((worker) => new RequestNumbers({ worker, workers: 3, limit: 7 }));
  for (const each of numbers) t.ok((each.next(true) as number) >= 2 ** 40);
  const dealt = numbers.flatMap((each) => [each.next(false), each.next(false), each.next(false), each.next(false)]);
  t.strictSame(
    dealt.filter((index) => index !== undefined).sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6],
  );
});

t.test('a mix with uploads reads what it uploaded, where that is there', async (t) => {
  const prepared = [{ path: '/prepared', size: 1, number: 1 }];
  const documents = new Documents(plan('--profile', 'ingest', '--workers', '2'), prepared, 8);
  t.equal(documents.pick({ index: 100, target: 0 }).path, '/prepared');
  documents.stored(84, { path: '/uploaded', size: 2, number: 84 });
  t.equal(documents.pick({ index: 100, target: 0 }).path, '/uploaded');
  t.equal(documents.pick({ index: 100, target: 0.5 }).path, '/prepared');
  const reading = new Documents(plan('--profile', 'clerk', '--workers', '2'), prepared, 8);
  reading.stored(84, { path: '/uploaded', size: 2, number: 84 });
  t.equal(reading.pick({ index: 100, target: 0 }).path, '/prepared');
});
