import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { limits } from '../../../src/core/limits.ts';
import { DiskSpace, isBelowFloor, measureFileSystem, sizeFrom } from '../../../src/graviton/disk-space.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

function spaceWith(floor: { ratio: number; bytes: number }) {
  const time = { now: 0 };
  const size = { freeBytes: 500, totalBytes: 1000 };
  const space = new DiskSpace({ clock: { ...systemClock, monotonic: () => time.now }, floor, measure: () => ({ ...size }) });
  return { time, size, space };
}

t.test('the floor is the larger of share and bytes', async (t) => {
  t.equal(spaceWith({ ratio: 0.05, bytes: 10 }).space.read().floorBytes, 50);
  t.equal(spaceWith({ ratio: 0.05, bytes: 70 }).space.read().floorBytes, 70);
  t.equal(spaceWith({ ratio: 0, bytes: 0 }).space.read().floorBytes, 0);
});

t.test('the file system is asked again after a while, or when the reading has expired', async (t) => {
  const { time, size, space } = spaceWith({ ratio: 0, bytes: 0 });
  size.freeBytes = 400;
  t.equal(space.read().freeBytes, 500);
  time.now += limits.freeSpaceCheckMs;
  t.equal(space.read().freeBytes, 400);
  size.freeBytes = 300;
  space.expire();
  t.equal(space.read().freeBytes, 300);
});

t.test('what writes will take counts between two looks, and what is under way also after one', async (t) => {
  const { time, size, space } = spaceWith({ ratio: 0, bytes: 100 });
  const first = space.take(150);
  const second = space.take(50);
  t.equal(space.read().freeBytes, 300);
  first();
  t.equal(space.read().freeBytes, 300, 'no look yet');
  time.now += limits.freeSpaceCheckMs;
  size.freeBytes = 350;
  t.equal(space.read().freeBytes, 300, 'the second is not written yet');
  second();
});

t.test('nobody is told of a floor that was not looked at: the same blocks again take no room', async (t) => {
  const { space } = spaceWith({ ratio: 0, bytes: 100 });
  space.take(450)();
  t.equal(space.read().freeBytes, 500);
});

t.test('a real file system has a size', async (t) => {
  const { freeBytes, totalBytes } = measureFileSystem(temporaryFolder(t)) ?? { freeBytes: 0, totalBytes: 0 };
  t.ok(freeBytes > 0 && freeBytes <= totalBytes);
});

t.test('a file system that does not say how large it is, or does not answer, has an unknown size', (t) => {
  t.same(sizeFrom({ bavail: 0, blocks: 0, bsize: 4096 }), undefined);
  t.same(sizeFrom({ bavail: 0, blocks: 0, bsize: 0 }), undefined);
  t.same(sizeFrom({ bavail: 0, blocks: 10, bsize: 4096 }), { freeBytes: 0, totalBytes: 40_960 }, 'this one is full');
  t.equal(measureFileSystem('/proc/self/no-such-folder'), undefined);
  const space = new DiskSpace({ clock: systemClock, floor: { ratio: 0.05, bytes: 100 }, measure: () => undefined });
  space.take(1000);
  t.same(space.read(), { freeBytes: undefined, floorBytes: 100 });
  t.equal(isBelowFloor(space.read()), false);
  t.end();
});
