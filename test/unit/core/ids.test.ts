import fc from 'fast-check';
import t from 'tap';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { type DocumentId, isId, newId, parseId } from '../../../src/core/ids.ts';

function clockAt(now: number, byte: number): Clock {
  return { now: () => now, monotonic: () => 0, random: (size) => new Uint8Array(size).fill(byte) };
}

t.test('an id is a lower-case UUID of version 7 with the time in front', async (t) => {
  // The time of RFC 9562, appendix A.6.
  t.equal(newId(clockAt(0x017f22e279b0, 0xff)), '017f22e2-79b0-7fff-bfff-ffffffffffff');
  t.equal(newId(clockAt(0x017f22e279b0, 0x00)), '017f22e2-79b0-7000-8000-000000000000');
});

t.test('ids of later milliseconds sort later', async (t) => {
  const time = fc.integer({ min: 0, max: 2 ** 47 });
  fc.assert(
    fc.property(time, time, (a, b) => {
      const [early, late] = [newId(clockAt(a, 0xff)), newId(clockAt(b, 0))];
      return a >= b || early < late;
    }),
  );
  t.pass();
});

t.test('ids differ', async (t) => {
  t.equal(new Set(Array.from({ length: 1000 }, () => newId(systemClock))).size, 1000);
});

t.test('our own ids are read back', async (t) => {
  const id = newId<DocumentId>(systemClock);
  t.ok(isId(id));
  t.equal(parseId<DocumentId>(id, 'documentId'), id);
});

for (const text of [
  '',
  '017F22E2-79B0-7FFF-BFFF-FFFFFFFFFFFF',
  '017f22e279b07fffbfffffffffffffff',
  '017f22e2-79b0-7fff-bfff-ffffffffffff\n',
  ' 017f22e2-79b0-7fff-bfff-ffffffffffff',
  '017f22e2-79b0-7fff-bfff-fffffffffff',
  '017f22e2-79b0-7fff-bfff-fffffffffffg',
]) {
  t.test(`${JSON.stringify(text)} is no id, and the parameter is named`, async (t) => {
    t.notOk(isId(text));
    t.throws(() => parseId(text, 'documentId'), {
      code: 'bad_parameter',
      message: /^documentId must be/,
      details: { parameter: 'documentId' },
    });
  });
}
