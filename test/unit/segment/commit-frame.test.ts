import t from 'tap';
import { decodeCommitFrame, encodeCommitFrame, firstRunningHash, nextRunningHash } from '../../../src/segment/commit-frame.ts';
import { Fault } from '../../../src/segment/fault.ts';
import { COMMIT_FRAME } from '../../../src/segment/format.ts';

const runningHash = 'ab'.repeat(32);
const sample = { begin: 4096, end: 9_007_199_254_740_991, count: 4096, lastSequence: 12, runningHash };

t.test('a commit frame survives encoding and decoding', (t) => {
  t.strictSame(decodeCommitFrame(encodeCommitFrame(sample)), sample);
  t.end();
});

t.test('version 1 bytes stay what they are', (t) => {
  t.equal(
    encodeCommitFrame(sample).toString('hex'),
    ['0010000000000000', 'ffffffffffff1f00', '00100000', '00000000', '0c00000000000000', runningHash].join(''),
  );
  t.end();
});

t.test('every truncation is a fault', (t) => {
  const bytes = encodeCommitFrame(sample);
  for (let size = 0; size < COMMIT_FRAME.size; size++) t.ok(decodeCommitFrame(bytes.subarray(0, size)) instanceof Fault);
  t.end();
});

t.test('impossible numbers and used reserved bytes are faults', (t) => {
  const bytes = encodeCommitFrame(sample);
  bytes[COMMIT_FRAME.fields.reserved.at] = 1;
  t.match(decodeCommitFrame(bytes), { meaning: /reserved/ });
  t.match(decodeCommitFrame(encodeCommitFrame({ ...sample, end: 2 ** 53 })), { meaning: /out of range/ });
  t.end();
});

t.test('the running hash depends on the hash before and on every header', (t) => {
  const first = firstRunningHash(new Uint8Array(4096));
  const second = nextRunningHash(first, Buffer.from('headers'));
  t.not(nextRunningHash(second, Buffer.from('headers')), second);
  t.not(nextRunningHash(first, Buffer.from('header!')), second);
  t.equal(nextRunningHash(first, Buffer.from('headers')), second);
  t.end();
});
