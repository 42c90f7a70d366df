import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { Fault } from '../../../src/segment/fault.ts';
import { PAGE_SIZE } from '../../../src/segment/format.ts';
import { readRecord } from '../../../src/segment/segment-reader.ts';
import type { RecordPlace } from '../../../src/segment/segment-writer.ts';
import { segmentMark } from '../../../src/segment/superblock.ts';
import { failure, MemoryFiles } from '../../helpers/memory-files.ts';
import { idsOf, openWriter, patterned, recordOf, scanAll, segmentPath, testSuperblock } from '../../helpers/segment-fixture.ts';

const bigSegment = 64 * 1024 * 1024;
const pathOf = (segment: number) => segmentPath(segment);

async function scanOf(files: MemoryFiles, segment = 1) {
  return scanAll(files, pathOf(segment), { superblock: testSuperblock(segment), verifyPayloads: true });
}

async function readBack(files: MemoryFiles, place: RecordPlace): Promise<Buffer | string> {
  const file = await files.open(pathOf(place.segment), { access: 'read', direct: false });
  const target = Buffer.alloc(place.size);
  const header = await readRecord(file, { mark: segmentMark(testSuperblock(place.segment)), ...place }, target);
  return header instanceof Fault ? header.meaning : target;
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

t.test('when an early write of a batch fails, its frame is never written', async (t) => {
  const files = new MemoryFiles();
  const { writer } = openWriter(files, { segmentSize: bigSegment });
  files.hook = async ({ op, at }) => {
    if (op === 'write' && at === PAGE_SIZE) throw failure('EIO');
    return undefined;
  };
  await t.rejects(writer.append(Array.from({ length: 12 }, (_, index) => recordOf(patterned(limits.blockSizeMax, index)))), {
    code: 'node_read_only',
  });
  files.hook = () => undefined;
  const scan = await scanOf(files);
  t.strictSame(idsOf(scan), []);
  t.equal(scan.end.state, 'torn');
  await writer.close();
});

t.test('short writes are continued', async (t) => {
  const files = new MemoryFiles();
  files.hook = ({ op, size }) => (op === 'write' && size > PAGE_SIZE ? PAGE_SIZE : undefined);
  const { writer } = openWriter(files);
  const record = recordOf(patterned(30_000, 1));
  const [place] = await writer.append([record]);
  t.same(await readBack(files, place as RecordPlace), record.bytes);
  t.equal((await scanOf(files)).end.state, 'clean');
  await writer.close();
});

t.test('the first error of a disk is final', async (t) => {
  for (const op of ['write', 'dataSync'] as const) {
    const files = new MemoryFiles();
    const { writer, deaths } = openWriter(files);
    await writer.append([recordOf('before')]);
    files.hook = async (step) => {
      await nextTurn();
      if (step.op === op) throw failure('EIO', step.path);
      return undefined;
    };
    const inFlight = writer.append([recordOf('in flight')]);
    const forming = nextTurn().then(() => writer.append([recordOf('forming')]));
    await t.rejects(inFlight, { code: 'node_read_only', cause: { code: 'EIO' } }, op);
    await t.rejects(forming, { code: 'node_read_only' }, op);
    const steps = files.steps.length;
    files.hook = () => undefined;
    await t.rejects(writer.append([recordOf('after')]), { code: 'node_read_only' }, op);
    await writer.close();
    t.strictSame(files.steps.slice(steps), [], `${op} is not retried, and nothing else is written`);
    t.match(deaths, [{ segment: 1, cause: { code: 'EIO' } }]);
    t.equal(deaths.length, 1);
    t.equal(writer.stats.waiting, 0);
  }
});

t.test('a full disk fails the batch, leaves no remains, and appends go on when there is room', async (t) => {
  const files = new MemoryFiles();
  const { writer, deaths, full } = openWriter(files, { segmentSize: bigSegment });
  await writer.append([recordOf('before')]);
  const { at } = (await scanOf(files)).end;
  let writes = 0;
  files.hook = ({ op }) => {
    if (op === 'write' && ++writes === 2) throw failure('ENOSPC');
    return undefined;
  };
  const records = Array.from({ length: 20 }, (_, index) => recordOf(patterned(limits.blockSizeMax, index)));
  await t.rejects(writer.append(records), { code: 'storage_full', cause: { code: 'ENOSPC' } });
  files.hook = () => undefined;
  t.equal(files.content(pathOf(1)).byteLength, at);
  t.equal(full.length, 1);
  await writer.append([recordOf('after')]);
  const scan = await scanOf(files);
  t.strictSame(idsOf(scan), [recordOf('before').id, recordOf('after').id]);
  t.equal(scan.end.state, 'clean');
  t.strictSame(deaths, []);
  await writer.close();
});

t.test('no room for a new segment fails the batch only', async (t) => {
  const files = new MemoryFiles();
  const { writer, full } = openWriter(files);
  files.hook = ({ op }) => {
    if (op === 'write') throw failure('ENOSPC');
    return undefined;
  };
  await t.rejects(writer.append([recordOf('one')]), { code: 'storage_full' });
  t.equal(full.length, 1);
  files.hook = () => undefined;
  await files.unlink(pathOf(1));
  await writer.append([recordOf('two')]);
  await writer.close();
});

t.test('no room for a footer leaves the segment unsealed and the writer alive', async (t) => {
  const files = new MemoryFiles();
  const { writer, sealed, full } = openWriter(files);
  await writer.append([recordOf('one')]);
  files.hook = ({ op }) => {
    if (op === 'write') throw failure('ENOSPC');
    return undefined;
  };
  await writer.sealActive();
  t.strictSame([sealed.length, full.length], [0, 1]);
  files.hook = () => undefined;
  await writer.append([recordOf('two')]);
  t.strictSame(idsOf(await scanOf(files)), [recordOf('one').id]);
  await writer.close();
});

t.test('a failing seal is final, too', async (t) => {
  const files = new MemoryFiles();
  const { writer, deaths } = openWriter(files);
  await writer.append([recordOf('one')]);
  files.hook = ({ op }) => {
    if (op === 'sync') throw failure('EIO');
    return undefined;
  };
  await writer.sealActive();
  await t.rejects(writer.append([recordOf('two')]), { code: 'node_read_only' });
  t.match(deaths, [{ step: 'seal of segment 1' }]);
  await writer.close();
});
