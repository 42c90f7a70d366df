import fc from 'fast-check';
import t from 'tap';
import { Slab, type Slot, type UploadAccount } from '../../../src/core/slab.ts';

const SLOTS = 12;
const UPLOAD_SLOTS_MAX = 8;

function openSlab(options: { slotCount?: number; slotSize?: number; extraSize?: number } = {}): Slab {
  return new Slab({ slotSize: 4096, slotCount: SLOTS, uploadSlotsMax: UPLOAD_SLOTS_MAX, extraSize: 0, ...options });
}

/** Takes slots as readers until none is left for them. */
function drain(slab: Slab): Slot[] {
  const slots: Slot[] = [];
  for (let slot = slab.tryAcquire(); slot !== undefined; slot = slab.tryAcquire()) slots.push(slot);
  return slots;
}

t.test('slots are apart, and extra memory begins at a page behind them', async (t) => {
  const slab = openSlab({ extraSize: 8192 });
  const slots = drain(slab);
  for (const [index, slot] of slots.entries()) slot.bytes.fill(index + 1);
  for (const [index, slot] of slots.entries()) t.ok(slot.bytes.every((byte) => byte === index + 1));
  t.equal(slab.extraAt % 4096, 0);
  t.ok(slab.extraAt >= SLOTS * 4096);
  t.ok(slab.extraAt + 8192 <= slab.bytes.byteLength);
  t.ok(slots.every((slot) => slab.owns(slot.bytes)));
  t.notOk(slab.owns(new Uint8Array(8)));
});

t.test('bytes of any alignment arrive at any alignment, and nothing else is touched', async (t) => {
  const slab = openSlab({ slotSize: 131_072, slotCount: 2 });
  const source = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7 + 1) & 0xff);
  const wrong: string[] = [];
  for (const size of [0, 1, 7, 63, 64, 65, 4096, 32_767, 32_768, 32_769, 65_536, 99_000]) {
    for (let from = 0; from < 9; from++) {
      for (let to = 0; to < 9; to++) {
        const target = 4096 + to;
        slab.bytes.fill(0, target - 16, target + size + 16);
        slab.copyIn(target, source.subarray(from, from + size));
        const same = Buffer.compare(slab.bytes.subarray(target, target + size), source.subarray(from, from + size)) === 0;
        const around = [...slab.bytes.subarray(target - 16, target), ...slab.bytes.subarray(target + size, target + size + 16)];
        if (!same || around.some((byte) => byte !== 0)) wrong.push(`${size} bytes from ${from} to ${to}`);
      }
    }
  }
  t.same(wrong, []);
});

t.test('moving inside the slab may overlap', async (t) => {
  const slab = openSlab();
  for (const [target, source] of [
    [100, 90],
    [90, 100],
    [0, 4096],
  ] as const) {
    slab.bytes.set(
      Uint8Array.from({ length: 512 }, (_, index) => index),
      source,
    );
    const expected = slab.bytes.slice(source, source + 512);
    slab.move(target, source, 512);
    t.same(slab.bytes.slice(target, target + 512), expected);
  }
});

t.test('a slot has as many owners as it was retained for, and is free when the last one left', async (t) => {
  const slab = openSlab();
  const slot = slab.tryAcquire() as Slot;
  slot.retain();
  slot.release();
  t.equal(slab.freeSlots, SLOTS - 1);
  slot.release();
  t.equal(slab.freeSlots, SLOTS);
  t.throws(() => slot.release(), { message: /released once per owner/ });
  t.throws(() => slot.retain(), { message: /only an owner/ });
});

t.test('an admitted upload gets its slot even when readers take all they can', async (t) => {
  const slab = openSlab();
  const accounts = [slab.admitUpload(), slab.admitUpload(), slab.admitUpload()] as UploadAccount[];
  drain(slab);
  for (const account of accounts) t.ok(account.tryAcquire(1));
});

t.test('readers leave a quarter of the uploads’ share free while no upload holds it', async (t) => {
  const slab = openSlab();
  t.equal(drain(slab).length, SLOTS - UPLOAD_SLOTS_MAX / 4);
  t.ok(slab.admitUpload());
  t.ok(slab.admitUpload());
  t.equal(slab.admitUpload(), undefined, 'no slot is left to promise');
});

t.test('one upload takes what others leave, up to its own bound', async (t) => {
  const slab = openSlab();
  const [greedy, late] = [slab.admitUpload(), slab.admitUpload()] as [UploadAccount, UploadAccount];
  const held: Slot[] = [];
  for (let slot = greedy.tryAcquire(3); slot !== undefined; slot = greedy.tryAcquire(3)) held.push(slot);
  t.equal(held.length, 3);
  for (let slot = greedy.tryAcquire(99); slot !== undefined; slot = greedy.tryAcquire(99)) held.push(slot);
  t.equal(held.length, UPLOAD_SLOTS_MAX - 1, 'the other upload’s slot is kept');
  t.ok(late.tryAcquire(1));
});

t.test('an account that is closed while it holds slots gives them back later', async (t) => {
  const slab = openSlab();
  const account = slab.admitUpload() as UploadAccount;
  const slot = account.tryAcquire(2) as Slot;
  account.close();
  account.close();
  t.throws(() => account.tryAcquire(2), { message: /closed account/ });
  account.giveBack(slot);
  t.equal(slab.freeSlots, SLOTS);
  t.equal(slab.uploadSlots, 0);
  t.throws(() => account.giveBack(slot), { message: /gives back what it took/ });
});

t.test('who waits for a slot is served in order', async (t) => {
  const slab = openSlab();
  const held = drain(slab);
  const served: string[] = [];
  const first = slab.acquire().then(() => served.push('first'));
  const second = slab.acquire().then(() => served.push('second'));
  held.pop()?.release();
  await first;
  t.same(served, ['first']);
  held.pop()?.release();
  await second;
  t.same(served, ['first', 'second']);
});

t.test('who stops waiting leaves the line and takes nothing', async (t) => {
  const slab = openSlab();
  const held = drain(slab);
  const stop = new AbortController();
  const reason = new Error('no longer');
  const stopped = slab.acquire(stop.signal);
  const next = slab.acquire();
  stop.abort(reason);
  await t.rejects(stopped, reason);
  held.pop()?.release();
  (await next).release();
  await t.rejects(
    slab.acquire(stop.signal).then(() => drain(slab) && slab.acquire(stop.signal)),
    reason,
  );
});

t.test('an ended promise lets a reader in line go on', async (t) => {
  const slab = openSlab();
  const accounts = Array.from({ length: 4 }, () => slab.admitUpload() as UploadAccount);
  drain(slab);
  const waiting = slab.acquire();
  for (const account of accounts) account.close();
  t.ok(await waiting);
});

t.test('cached blocks nobody reads are given up for those who need their slot', async (t) => {
  const slab = openSlab();
  const cached = drain(slab);
  slab.setReclaimer({
    reclaimable: () => cached.length,
    reclaim() {
      const slot = cached.shift();
      slot?.release();
      return slot !== undefined;
    },
  });
  const count = cached.length;
  const accounts = Array.from({ length: 4 }, () => slab.admitUpload());
  t.ok(accounts.every((account) => account?.tryAcquire(1) !== undefined));
  t.ok(slab.tryAcquire());
  t.ok(cached.length < count);
});

t.test('what readers leave free stays free while a cached block can be given up instead', async (t) => {
  const slab = openSlab();
  const cached = drain(slab);
  const count = cached.length;
  slab.setReclaimer({
    reclaimable: () => cached.length,
    reclaim() {
      const slot = cached.shift();
      slot?.release();
      return slot !== undefined;
    },
  });
  const oldest = cached[0];
  t.equal(slab.tryAcquire(), oldest);
  t.equal(slab.freeSlots, SLOTS - count);
});

t.test('a cached block that loses its last reader goes to the first in line, and only to that one', async (t) => {
  const slab = openSlab();
  const read = drain(slab);
  const cached: Slot[] = [];
  slab.setReclaimer({
    reclaimable: () => cached.length,
    reclaim() {
      const slot = cached.shift();
      slot?.release();
      return slot !== undefined;
    },
  });
  slab.admitUpload()?.tryAcquire(1);
  slab.admitUpload()?.tryAcquire(1);
  const served: string[] = [];
  const first = slab.acquire().then(() => served.push('first'));
  const second = slab.acquire().then(() => served.push('second'));
  cached.push(read.pop() as Slot);
  slab.wake();
  await first;
  t.same(served, ['first']);
  read.pop()?.release();
  await second;
});

/** What may happen to a slab, drawn at random; each step is skipped when it cannot happen now. */
type Step = {
  readonly what: 'admit' | 'take' | 'give' | 'close' | 'read' | 'wait' | 'unread' | 'cache' | 'abort';
  readonly which: number;
};

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('admit', 'take', 'give', 'close', 'read', 'wait', 'unread', 'cache', 'abort'),
  which: fc.nat(SLOTS),
});

t.test('slots are neither lost nor handed out twice, and every admitted upload can have one', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
      const model = new SlabModel();
      for (const each of steps) {
        await model.run(each);
        model.check();
      }
      await model.finish();
    }),
    { numRuns: 600 },
  );
  t.pass('600 random runs');
});

class SlabModel {
  readonly #slab = openSlab();
  readonly #uploads: { account: UploadAccount; slots: Slot[]; open: boolean }[] = [];
  readonly #read: Slot[] = [];
  readonly #cached: Slot[] = [];
  readonly #line: { stop: AbortController; waiting: Promise<Slot | undefined> }[] = [];

  constructor() {
    const cached = this.#cached;
    this.#slab.setReclaimer({
      reclaimable: () => cached.length,
      reclaim() {
        const slot = cached.shift();
        slot?.release();
        return slot !== undefined;
      },
    });
  }

  async run({ what, which }: Step): Promise<void> {
    const upload = this.#uploads[which % Math.max(1, this.#uploads.length)];
    if (what === 'admit') this.#admit();
    else if (what === 'read') this.#keep(this.#slab.tryAcquire());
    else if (what === 'wait') this.#wait();
    else if (what === 'abort') this.#line[which % Math.max(1, this.#line.length)]?.stop.abort();
    else if (what === 'unread') this.#read.pop()?.release();
    else if (what === 'cache') this.#cacheOne();
    else if (upload !== undefined) this.#use(upload, what, which);
    // Whoever was served meanwhile takes its slot.
    await new Promise((resolve) => setImmediate(resolve));
  }

  check(): void {
    const owned = [...this.#uploads.flatMap(({ slots }) => slots), ...this.#read, ...this.#cached];
    const unique = new Set(owned.map(({ index }) => index));
    expect(unique.size === owned.length, 'no slot has two owners');
    expect(this.#slab.freeSlots + owned.length === SLOTS, 'free and owned slots are all slots');
    const held = this.#uploads.reduce((sum, { slots }) => sum + slots.length, 0);
    expect(this.#slab.uploadSlots === held, 'the slab knows what uploads hold');
    const promised = this.#uploads.filter(({ slots, open }) => open && slots.length === 0).length;
    expect(this.#slab.freeSlots + this.#cached.length >= promised, 'what is promised can be had');
  }

  /** Readers take all they can, and still every open upload gets its slot; then all comes back and the slab is as at first. */
  async finish(): Promise<void> {
    this.#read.push(...drain(this.#slab));
    this.check();
    for (const upload of this.#uploads) {
      if (upload.open && upload.slots.length === 0) this.#use(upload, 'take', 0);
      expect(!upload.open || upload.slots.length > 0, 'an admitted upload gets its slot');
    }
    for (const { stop } of this.#line) stop.abort();
    await Promise.all(this.#line.map(({ waiting }) => waiting));
    for (const { account, slots } of this.#uploads) {
      for (const slot of slots.splice(0)) account.giveBack(slot);
      account.close();
    }
    for (const slot of [...this.#read.splice(0), ...this.#cached.splice(0)]) slot.release();
    expect(this.#slab.freeSlots === SLOTS && this.#slab.uploadSlots === 0, 'all slots came back');
    expect(drain(this.#slab).length === SLOTS - UPLOAD_SLOTS_MAX / 4, 'no promise is left over');
  }

  #admit(): void {
    const account = this.#slab.admitUpload();
    if (account !== undefined) this.#uploads.push({ account, slots: [], open: true });
  }

  #use(upload: { account: UploadAccount; slots: Slot[]; open: boolean }, what: string, which: number): void {
    if (what === 'take' && upload.open) {
      const before = this.#slab.uploadSlots;
      const slot = upload.account.tryAcquire(which);
      if (slot === undefined) return;
      expect(upload.slots.length === 0 || before < UPLOAD_SLOTS_MAX, 'beyond their first slots uploads stay in their share');
      upload.slots.push(slot);
    } else if (what === 'give') {
      const slot = upload.slots.pop();
      if (slot !== undefined) upload.account.giveBack(slot);
    } else if (what === 'close') {
      upload.account.close();
      upload.open = false;
    }
  }

  #keep(slot: Slot | undefined): void {
    if (slot !== undefined) this.#read.push(slot);
  }

  #wait(): void {
    const stop = new AbortController();
    const place = { stop, waiting: Promise.resolve<Slot | undefined>(undefined) };
    place.waiting = this.#slab.acquire(stop.signal).then(
      (slot) => {
        this.#keep(slot);
        return slot;
      },
      () => undefined,
    );
    this.#line.push(place);
  }

  /** A reader is done with a block, and the cache keeps it. */
  #cacheOne(): void {
    const slot = this.#read.pop();
    if (slot === undefined) return;
    this.#cached.push(slot);
    this.#slab.wake();
  }
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`broken: ${what}`);
}
