import t from 'tap';
import type { Durability, Role, Row } from '../../../bench/harness/results.ts';
import { toRow } from '../../../bench/harness/rows.ts';
import { figureOf, peerVerdicts, ratio } from '../../../bench/harness/verdicts.ts';

function row(name: string, samples: readonly number[], role: Role = 'peer', durability?: Durability): Row {
  const head = { name, role, ...(durability === undefined ? {} : { durability }) };
  return toRow(
    head,
    samples.map((value) => ({ value, cpuSeconds: undefined })),
  );
}

const ours = row('Quasar', [8, 10, 12], 'quasar');
const synced = { durable: true, words: 'all synced' };
const unsynced = { durable: false, words: 'nothing synced' };
const minio = row('MinIO, one drive', [4, 5, 6], 'peer', synced);
const signed = row('MinIO, SigV4', [2, 2, 2], 'peer', synced);
const withoutMd5 = row('MinIO --no-compat', [10, 10, 10], 'peer', synced);
const other = row('Other', [20, 20, 20], 'peer', unsynced);
const nginx = row('nginx, sendfile on', [40, 40, 40]);
const rows = [ours, minio, signed, withoutMd5, other, nginx];

t.test('a ratio is one of medians, its spread that of the rounds', async (t) => {
  t.same(ratio(rows, { ours: 'Quasar', others: [minio.candidate], pick: 'fastest', subject: 'of it', promise: { atLeast: 2 } }), [
    { subject: 'of it (MinIO, one drive)', value: 2, min: 2, max: 2, unit: '×', promise: { atLeast: 2 } },
  ]);
});

t.test('of several others the slowest or the fastest counts', async (t) => {
  const others = [minio.candidate, signed.candidate];
  const [slowest] = ratio(rows, { ours: 'Quasar', others, pick: 'slowest', subject: 'of it' });
  const [fastest] = ratio(rows, { ours: 'Quasar', others, pick: 'fastest', subject: 'of it' });
  t.match([slowest, fastest], [{ value: 5 }, { value: 2 }]);
});

t.test('where a side was left out there is no ratio', async (t) => {
  t.same(ratio(rows, { ours: 'nobody', others: [minio.candidate], pick: 'slowest', subject: 'of it' }), []);
  t.same(ratio(rows, { ours: 'Quasar', others: ['nobody'], pick: 'slowest', subject: 'of it' }), []);
  t.same(figureOf(rows, 'nobody', { unit: 's' }), []);
});

t.test('the promise is against the better of the settings of MinIO that make an MD5', async (t) => {
  const [first, second] = peerVerdicts(rows, 'Quasar', {
    minio: { promise: { atLeast: 2 } },
    minioWithoutMd5: { aim: { atLeast: 1.3 } },
  });
  t.match(first, { subject: 'of MinIO (MinIO, one drive)', value: 2, promise: { atLeast: 2 } });
  t.match(second, { subject: 'of MinIO without MD5 (MinIO --no-compat)', value: 1, aim: { atLeast: 1.3 } });
  t.notOk(second?.promise);
});

t.test('who does less before it answers is compared too, without a promise, and named so', async (t) => {
  const verdicts = peerVerdicts(rows, 'Quasar', { minio: { promise: { atLeast: 2 } } });
  t.equal(verdicts.length, 3, 'nginx as a reader is judged elsewhere');
  t.same(verdicts[2], { subject: 'of a peer with nothing synced (Other)', value: 0.5, min: 0.4, max: 0.6, unit: '×' });
});
