import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { load } from '../../bench/load/main.ts';
import type { LoadResult } from '../../bench/load/measure/load-result.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const product = await Product.start();
t.teardown(() => product.destroy());

async function run(t: Test, ...flags: string[]): Promise<{ code: number; result: LoadResult }> {
  const json = join(temporaryFolder(t), 'result.json');
  const to = ['--url', product.url, '--key-file', product.keyFile];
  const code = await load([...to, '--warm-up', '0s', '--verify', '1', '--json', json, ...flags]);
  return { code, result: JSON.parse(readFileSync(json, 'utf8')) };
}

t.test('a mix of everything, slow clients, cut and continued uploads: all answers are right', async (t) => {
  const mix = 'upload=40,download=20,range=20,metadata=10,list=10';
  const flags = ['--mix', mix, '--size', '10KB..3MB', '--range-size', '1KB..64KB', '--documents', '6', '--workers', '2'];
  const { code, result } = await run(t, ...flags, '--requests', '150', '--abort', '20%', '--slow', '25%:3MB/s', '--seed', '21');
  t.strictSame(result.explanations, []);
  t.equal(code, 0);
  t.equal(result.failures, 0);
  t.equal(result.unfinished, 0);
  const names = result.rows.map(({ name }) => name);
  for (const name of ['download', 'list', 'metadata', 'range', 'upload', 'upload, resumed']) t.ok(names.includes(name), name);
  t.ok(names.some((name) => name.endsWith(', slow')));
  const continued = result.rows.filter(({ name }) => name.endsWith('resumed')).reduce((sum, { requests }) => sum + requests, 0);
  t.equal(result.resumed, continued, 'every upload that was cut went on in its session');
  t.ok(continued > 0);
  t.equal(result.requests + result.cut - result.resumed, 150, 'reads that were cut have no answer');
  t.ok(result.verified > 60);
});

t.test('the store has every upload that counts, and those before', async (t) => {
  const answer = await product.fetch('/v1/documents?limit=1000');
  const { items } = (await answer.json()) as { items: { current: { filename: string } }[] };
  const names = items.map(({ current }) => current.filename).filter((name) => name.startsWith('load-21-'));
  t.equal(new Set(names).size, names.length, 'none twice');
  t.ok(names.length > 40);
});

t.test('at a rate', async (t) => {
  const flags = ['--profile', 'clerk', '--documents', '5', '--size', '10KB', '--rate', '60', '--duration', '1s'];
  const { code, result } = await run(t, ...flags, '--arrivals', 'uniform', '--workers', '2');
  t.equal(code, 0);
  t.equal(result.due, 60);
  t.equal(result.requests, 60);
});
