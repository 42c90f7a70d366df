import t from 'tap';
import { Attempts, backOffMs, isTransient } from '../../../src/cli/attempts.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { type ErrorCode, QuasarError } from '../../../src/core/errors.ts';
import { limits } from '../../../src/core/limits.ts';

const clock: Clock = { now: () => 0, monotonic: () => 0, random: (size) => new Uint8Array(size).fill(0x80) };

function failure(code: ErrorCode, details = {}): QuasarError {
  return new QuasarError(code, { op: 'test', details });
}

function attempts(waits: number[] = [], signal = new AbortController().signal): Attempts {
  const wait = async (ms: number) => {
    waits.push(ms);
  };
  return new Attempts({ clock, signal, wait });
}

t.test('waits grow to a ceiling, are jittered, and never shorter than Retry-After, which is capped', (t) => {
  t.same(
    [1, 2, 3, 4, 5, 6, 7].map((failures) => backOffMs(failures, 0.999999, undefined)),
    [500, 1000, 2000, 4000, 8000, 10_000, 10_000],
  );
  t.equal(backOffMs(5, 0, undefined), 0);
  t.equal(backOffMs(1, 0.5, 2000), 2250);
  t.equal(backOffMs(1, 0, 3_600_000), limits.clientRetryAfterMaxMs);
  t.end();
});

t.test('what may pass is tried again, what may not is told', (t) => {
  for (const code of ['too_many_uploads', 'draining', 'database_unavailable', 'server_unreachable', 'upload_stalled'] as const) {
    t.ok(isTransient(failure(code)), code);
  }
  for (const code of [
    'storage_full',
    'corrupt',
    'bad_parameter',
    'document_not_found',
    'unexpected_answer',
    'internal',
    'upload_closed',
  ] as const) {
    t.notOk(isTransient(failure(code)), code);
  }
  t.notOk(isTransient(failure('server_unreachable', { reached: false })), 'a server that never answered');
  t.end();
});

t.test('attempts are bounded in a row, and begin anew after progress', async (t) => {
  const waits: number[] = [];
  const tries = attempts(waits);
  const busy = failure('too_many_uploads');
  for (let round = 0; round < 3; round++) {
    for (let failed = 1; failed < limits.clientAttemptsMax; failed++) await tries.afterFailure(busy);
    tries.progressed();
  }
  t.equal(waits.length, 3 * (limits.clientAttemptsMax - 1));
  for (let failed = 1; failed < limits.clientAttemptsMax; failed++) await tries.afterFailure(busy);
  await t.rejects(tries.afterFailure(busy), busy);
});

t.test('run repeats an action until it succeeds or fails for good', async (t) => {
  let calls = 0;
  const value = await attempts().run(async () => {
    calls += 1;
    if (calls < 4) throw failure('database_unavailable');
    return 'done';
  });
  t.equal(value, 'done');
  t.equal(calls, 4);
  await t.rejects(
    attempts().run(() => Promise.reject(failure('bad_request'))),
    { code: 'bad_request' },
  );
});

t.test('after a stop nothing is tried again, whatever failed', async (t) => {
  const stop = new AbortController();
  const reason = failure('cancelled');
  stop.abort(reason);
  await t.rejects(attempts([], stop.signal).afterFailure(failure('too_many_uploads')), reason);
});
