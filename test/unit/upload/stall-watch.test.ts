import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { QuasarError } from '../../../src/core/errors.ts';
import type { IncomingBody } from '../../../src/upload/incoming-body.ts';
import { watchForStall } from '../../../src/upload/stall-watch.ts';

const rule = { windowMs: 5, bytesMin: 100 };

/** A body as far as the watch looks at it; `live` changes it before each window ends. */
async function watch(live: (body: { received: number; paused: boolean; pauses: number }) => void): Promise<string | undefined> {
  const body = { received: 0, paused: false, pauses: 0 };
  let fault: QuasarError | undefined;
  const watched = Object.assign(body, {
    fail: (error: QuasarError) => {
      fault ??= error;
    },
  });
  const end = watchForStall(watched as unknown as IncomingBody, rule);
  // Its own timer is the finer one, so that something happens in every window.
  const living = setInterval(() => live(body), 1);
  for (let turn = 0; fault === undefined && turn < 10; turn++) await sleep(rule.windowMs);
  clearInterval(living);
  end();
  return fault?.code;
}

t.test('a client that sends nothing, or less than the least, is cut', async (t) => {
  t.equal(await watch(() => {}), 'upload_stalled');
  let once = true;
  const trickle = (body: { received: number }) => {
    if (once) body.received += 99;
    once = false;
  };
  t.equal(await watch(trickle), 'upload_stalled');
});

t.test('a client we paused is not to blame', async (t) => {
  const paused = (body: { paused: boolean }) => {
    body.paused = true;
  };
  t.equal(await watch(paused), undefined);
});

t.test('a watch that has ended cuts nobody', async (t) => {
  let cut = false;
  const body = { received: 0, paused: false, pauses: 0, fail: () => (cut = true) };
  watchForStall(body as unknown as IncomingBody, rule)();
  await sleep(4 * rule.windowMs);
  t.notOk(cut);
});
