import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { patternBytes, sha256 } from '../helpers/bytes.ts';
import { writeConfig } from '../helpers/drill-config.ts';
import { cutWithin, rot } from '../helpers/drill-damage.ts';
import { ask, call, type DrillServer, metricOf } from '../helpers/drill-http.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const MiB = 1024 * 1024;

/** Three blocks; the middle one will be damaged. */
const large = patternBytes(2 * MiB + 500_000, 61);
const middle = large.subarray(MiB, 2 * MiB);
const small = patternBytes(90_000, 62);
const sound = patternBytes(MiB + 17, 63);
/** More than the smallest memory holds: reading it drives everything else out. */
const bulk = patternBytes(12 * MiB, 64);

async function store(server: DrillServer, bytes: Buffer): Promise<string> {
  const { status, json } = await call(server, { method: 'POST', path: '/v1/documents', body: bytes });
  if (status !== 201) throw new Error(`an upload was answered ${status}`);
  return `/v1/documents/${json.documentId}/content`;
}

async function isWhole(t: Test, server: DrillServer, path: string, bytes: Buffer, message: string): Promise<void> {
  const answer = await call(server, { path });
  t.match([answer.status, sha256(answer.body)], [200, sha256(bytes)], message);
}

async function isCorrupt(t: Test, server: DrillServer, path: string, message: string): Promise<void> {
  const answer = await call(server, { path });
  t.match([answer.status, answer.code], [500, 'corrupt'], message);
}

for (const { what, harm, foundAtStart } of [
  {
    what: 'in a sealed segment, found after a restart',
    foundAtStart: false,
    harm: async (product: Product, damage: () => void, config: string) => {
      await product.stop();
      damage();
      return Product.start({ data: product.data, config });
    },
  },
  {
    what: 'in a segment left open by a kill, found by the start',
    foundAtStart: true,
    harm: async (product: Product, damage: () => void, config: string) => {
      await product.kill();
      damage();
      return Product.start({ data: product.data, config });
    },
  },
  {
    what: 'in the active segment of a running server',
    foundAtStart: false,
    harm: async (product: Product, damage: () => void) => {
      damage();
      return product;
    },
  },
]) {
  t.test(`a flipped bit ${what} is never served, and sending the content again heals it`, async (t) => {
    const config = writeConfig(temporaryFolder(t), { 'quasar.conf': ['memory.slabSize = 8MiB', 'uploads.inFlightMax = 4'] });
    let product = await Product.start({ config });
    t.teardown(() => product.destroy());
    const paths = { large: '', small: '', sound: '', bulk: '' };
    for (const [name, bytes] of Object.entries({ large, small, sound, bulk })) {
      paths[name as keyof typeof paths] = await store(product, bytes);
    }
    const damage = () => {
      rot(product.data, middle.subarray(0, 4096));
      rot(product.data, small);
    };
    product = await harm(product, damage, config);
    await isWhole(t, product, paths.bulk, bulk, 'what is not damaged reads as ever');

    await isCorrupt(t, product, paths.small, 'damage in the first block is answered, not sent');
    await isCorrupt(t, product, paths.small, 'at once, the second time');
    if (!foundAtStart) t.equal(await ask(product, { path: paths.large }), undefined, 'damage further on cuts the answer');
    await isCorrupt(t, product, paths.large, 'once it is known, the answer does not begin');
    const first = await call(product, { path: paths.large, headers: { range: `bytes=0-${MiB - 1}` } });
    t.ok(first.status === 206 && first.body.equals(large.subarray(0, MiB)), 'ranges beside the damage are served');
    const across = await call(product, { path: paths.large, headers: { range: `bytes=10-${MiB + 10}` } });
    t.match([across.status, across.code], [500, 'corrupt'], 'those that touch it are not');
    await isWhole(t, product, paths.sound, sound, 'others are not affected');
    t.equal(await metricOf(product, 'quasar_damaged_records'), 2);
    t.match((await call(product, { path: '/v1/ready' })).json, { dependencies: { graviton: { detail: /2 damaged records/ } } });
    const said = product.log.filter(({ level, msg }) => level !== 'info' && /damage/.test(String(msg)));
    t.ok(said.length > 0, `the log says so: ${said.map(({ msg }) => msg).join(' / ')}`);

    await product.stop();
    product = await Product.start({ data: product.data, config });
    await isCorrupt(t, product, paths.small, 'the mark outlives a restart');
    await store(product, small);
    await store(product, large);
    await isWhole(t, product, paths.small, small, 'the old document reads again');
    await isWhole(t, product, paths.large, large, 'and so does the large one');
    t.equal(await metricOf(product, 'quasar_damaged_records'), 0);
  });
}

t.test('a segment that lost its tail loses what lay there and nothing else, and says so', async (t) => {
  let product = await Product.start();
  t.teardown(() => product.destroy());
  const before = await store(product, sound);
  const torn = await store(product, small);
  await product.kill();
  cutWithin(product.data, small);
  product = await Product.start({ data: product.data });
  await isWhole(t, product, before, sound, 'what lay before the cut is there');
  const answer = await call(product, { path: torn });
  t.equal(answer.status, 500);
  t.match(answer.code, /^(corrupt|block_missing)$/);
  t.match(product.output, /segment/i, 'the log says so');
  await store(product, small);
  await isWhole(t, product, torn, small, 'sending it again heals it');
  t.equal(await product.stop(), 0);
  product = await Product.start({ data: product.data });
  await isWhole(t, product, torn, small, 'for good');
});

t.test('a tail that was never acknowledged is set aside, and the log names the segment', async (t) => {
  let product = await Product.start();
  t.teardown(() => product.destroy());
  const before = await store(product, sound);
  await product.kill();

  const folder = join(product.data, 'node', 'seg');
  const [name] = readdirSync(folder);
  appendFileSync(join(folder, name as string), patternBytes(10_000, 65));
  product = await Product.start({ data: product.data });
  await isWhole(t, product, before, sound, 'what was acknowledged is there');
  t.match(product.output, /quarantine/);
  t.ok(readdirSync(join(product.data, 'node', 'quarantine')).length > 0, 'a copy of the rest is kept');
});
