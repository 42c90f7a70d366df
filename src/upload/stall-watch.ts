import { QuasarError } from '../core/errors.ts';
import type { IncomingBody } from './incoming-body.ts';

export interface StallRule {
  readonly windowMs: number;
  /** What a client must send within the window. */
  readonly bytesMin: number;
}

/**
 * Cuts a body whose client sends too little for too long; a window in which we paused it even once does not count.
 * Returns the function that ends the watch.
 */
export function watchForStall(body: IncomingBody, rule: StallRule): () => void {
  let seen = 0;
  let pauses = 0;
  const timer = setInterval(() => {
    const progress = body.received - seen;
    const ours = body.paused || body.pauses !== pauses;
    seen = body.received;
    pauses = body.pauses;
    if (ours || progress >= rule.bytesMin) return;
    body.fail(new QuasarError('upload_stalled', { op: 'upload.receive', details: { bytes: progress, windowMs: rule.windowMs } }));
  }, rule.windowMs);
  timer.unref();
  return () => clearInterval(timer);
}
