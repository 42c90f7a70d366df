import type { Actor } from '../core/actor.ts';
import { assert } from '../core/assert.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import type { Admitted } from './admission.ts';
import { Checkpointer } from './checkpointer.ts';
import { type BodySource, IncomingBody } from './incoming-body.ts';
import { InterruptedBody, ingest } from './ingest.ts';
import type { LiveUpload } from './live-upload.ts';
import { readPiece } from './piece.ts';
import type { StoredBlock, UploadSession } from './session.ts';
import { watchForStall } from './stall-watch.ts';
import type { UploadsDeps } from './uploads.ts';

export interface AppendRequest {
  readonly source: BodySource;
  /** Where the client believes the upload to stand. */
  readonly offset: number;
  /** Declared size of the body; undefined when it is chunked. */
  readonly size: number | undefined;
  readonly observe: ((bytes: Uint8Array) => void) | undefined;
  /** Compares the request's own digest when all bytes are in; throws to take none of them. Undefined when none was sent. */
  readonly verify: (() => void) | undefined;
}

export interface StartedAppend {
  /** The new offset, when all bytes of the request are durable and checkpointed. Somebody must wait for it. */
  readonly offset: Promise<number>;
}

/**
 * Makes the request the upload's writer; `live` must have none. Synchronous, so that whoever comes next finds it there.
 * @throws QuasarError `upload_offset_mismatch`, `upload_too_large`, and what admission throws.
 */
export function startAppend(
  by: Actor,
  session: UploadSession,
  live: LiveUpload,
  request: AppendRequest,
  deps: UploadsDeps,
): StartedAppend {
  const op = 'upload.append';
  assert(live.writer === undefined, 'the writer before has been displaced');
  const start = live.offset;
  if (request.offset !== start) {
    throw new QuasarError('upload_offset_mismatch', { op, details: { expected: start, received: request.offset } });
  }
  const sizeMax = (session.size ?? deps.uploadSizeMax) - start;
  if (request.size !== undefined && request.size > sizeMax) {
    throw new QuasarError('upload_too_large', { op, details: { size: session.size ?? deps.uploadSizeMax, offset: start } });
  }
  const admitted = deps.admission.admit(by);
  const body = new IncomingBody({
    source: request.source,
    slab: deps.slab,
    account: admitted.account,
    mayHold: admitted.mayHold,
    gate: admitted.gate,
    sizeMax,
    carries: live.stream.carries,
    observe: request.observe,
  });
  const offset = write(by, session, live, { request, body, admitted, start }, deps).finally(() => {
    body.close();
    admitted.close();
    live.writer = undefined;
  });
  live.writer = { body, done: offset.catch((error: unknown) => error) };
  return { offset };
}

interface Writing {
  readonly request: AppendRequest;
  readonly body: IncomingBody;
  readonly admitted: Admitted;
  readonly start: number;
}

async function write(by: Actor, session: UploadSession, live: LiveUpload, writing: Writing, deps: UploadsDeps): Promise<number> {
  const { request, body, start } = writing;
  const whole = live.hashedUpToDate;
  const checkpoints = new Checkpointer(by, live, deps, (error) => body.fail(error));
  const endWatch = watchForStall(body, deps.stallRule);
  live.sound = false;
  try {
    const { piece } = live;
    if (piece !== undefined) await body.prepend((slot) => readPiece(piece, slot, deps));
    body.start();
    const rest = await ingest(
      body,
      {
        account: writing.admitted.account,
        mayHold: writing.admitted.mayHold,
        stream: live.stream,
        blocks: live.blocks,
        whole,
        endsAfter: (received) => start + received === session.size,
        // A request that carries its own digest counts whole or not at all, so nothing of it is promised early.
        onDurable: () => afterDurable(live, whole, request.verify === undefined ? checkpoints : undefined),
      },
      deps,
    );
    request.verify?.();
    await by.confirm?.();
    await settle(live, whole, rest, checkpoints);
    return live.offset;
  } catch (error) {
    if (!(error instanceof InterruptedBody)) throw error;
    if (keepsPart(request, error.cause)) await settle(live, whole, error.piece, checkpoints);
    throw error.cause;
  } finally {
    endWatch();
  }
}

/**
 * A body that breaks off leaves what came of it; a request with its own digest counts whole or not at all, and of one whose
 * framing is wrong no more is kept than was promised before.
 */
function keepsPart(request: AppendRequest, fault: unknown): boolean {
  return request.verify === undefined && !isQuasarError(fault, 'bad_request');
}

function afterDurable(live: LiveUpload, whole: boolean, checkpoints: Checkpointer | undefined): void {
  checkpoints?.offer();
  // Follows a re-hash of the prefix into what this request adds; its failure is finalize's to report.
  if (!whole) live.catchUp().catch((error: unknown) => error);
}

/** All that was cut is stored: hash state and list agree, and the row may promise it. */
async function settle(
  live: LiveUpload,
  whole: boolean,
  piece: StoredBlock | undefined,
  checkpoints: Checkpointer,
): Promise<void> {
  live.piece = piece;
  if (whole) live.markHashed();
  await checkpoints.finish();
  live.sound = true;
}
