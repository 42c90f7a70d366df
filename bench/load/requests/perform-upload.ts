import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../../src/core/clock.ts';
import type { Answer, DriverRequest, UploadSessions } from '../drivers/driver.ts';
import { ConnectionFault } from '../http/connection-fault.ts';
import type { WireBody } from '../http/http-connection.ts';
import { TextSink } from './answer-sinks.ts';
import { Content } from './content.ts';
import type { KnownDocument } from './documents.ts';
import { isSuccess, type Outcome } from './outcome.ts';
import { cutAfter, type RequestTools } from './request-tools.ts';

export interface Upload {
  readonly name: string;
  /** Of the body. */
  readonly number: number;
  readonly size: number;
  /** After what share of the body the connection is cut. */
  readonly cutAt: number | undefined;
}

export interface UploadOutcome extends Outcome {
  /** Where it can be read, when it was accepted. */
  readonly stored?: KnownDocument;
}

/** Uploads a body; one whose connection is cut is then continued where the server stands, or sent again. */
export async function performUpload(upload: Upload, tools: RequestTools): Promise<UploadOutcome> {
  const cut = cutAfter(upload.cutAt, upload.size);
  const { sessions } = tools.driver;
  if (cut === undefined) return judge(upload, await sendWhole(upload, tools), tools);
  const answer = sessions === undefined ? await sendTwice(upload, cut, tools) : await sendInSession(upload, cut, sessions, tools);
  return { ...judge(upload, answer, tools), wasCut: true, wasResumed: isSuccess(answer) };
}

/** Sends a request that is no upload, or one whose body is text, and reads the answer. */
export async function ask(request: DriverRequest, { wire, connection }: RequestTools): Promise<Answer> {
  const text = request.text ?? '';
  const bytes = Buffer.from(text);
  const hasLength = request.method === 'POST' || request.method === 'PUT';
  const body: WireBody = {
    size: bytes.length,
    fill: (target, offset, size) => void bytes.copy(target, 0, offset, offset + size),
  };
  const sink = new TextSink();
  const head = wire.write(request, hasLength ? bytes.length : undefined);
  const isAnsweredWithBody = request.method !== 'HEAD';
  const answer = await connection.exchange({ head, isAnsweredWithBody, ...(text === '' ? {} : { body }) }, sink);
  return { ...answer, text: sink.text };
}

function sendWhole(upload: Upload, tools: RequestTools): Promise<Answer> {
  return sendBytes(tools.driver.upload(upload.name, upload.size), upload, 0, undefined, tools);
}

async function sendTwice(upload: Upload, cut: number, tools: RequestTools): Promise<Answer> {
  const early = await unless('cut', sendBytes(tools.driver.upload(upload.name, upload.size), upload, 0, cut, tools));
  return early ?? sendWhole(upload, tools);
}

const RESUMES_MAX = 5;

async function sendInSession(upload: Upload, cut: number, sessions: UploadSessions, tools: RequestTools): Promise<Answer> {
  const opening = await ask(sessions.open(upload.name, upload.size), tools);
  if (!isSuccess(opening)) return opening;
  const session = sessions.opened(opening);
  if (session === undefined) return opening;
  const early = await unless('cut', sendBytes(sessions.append(session, 0), upload, 0, cut, tools));
  if (early !== undefined) return early;
  let answer = await ask(sessions.ask(session), tools);
  for (let attempt = 0; ; attempt += 1) {
    const offset = sessions.offset(answer);
    // A conflict tells where the server stands meanwhile.
    if (offset === undefined || (!isSuccess(answer) && answer.status !== 409)) return answer;
    if (offset === upload.size) return ask(sessions.finish(session), tools);
    if (attempt === RESUMES_MAX) throw new ConnectionFault('reset', `it broke off ${RESUMES_MAX} times after it was cut`);
    // A server that refuses within the body and closes breaks the connection, as often as not before its answer is read.
    const resumed = await unless('reset', sendBytes(sessions.append(session, offset), upload, offset, undefined, tools));
    answer = resumed ?? (await ask(sessions.ask(session), tools));
  }
}

/** Undefined when the connection ended in this way, else what the server said. */
async function unless(kind: 'cut' | 'reset', sending: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await sending;
  } catch (fault) {
    if (fault instanceof ConnectionFault && fault.kind === kind) return undefined;
    throw fault;
  }
}

/** Sends the body from `offset` on; `cut` counts from its beginning. */
async function sendBytes(
  request: DriverRequest,
  { number, size }: Upload,
  offset: number,
  cut: number | undefined,
  { content, wire, connection }: RequestTools,
): Promise<Answer> {
  const body = { number, start: content.startOf(number) };
  const sink = new TextSink();
  const head = wire.write(request, size - offset);
  const answer = await connection.exchange(
    {
      head,
      isAnsweredWithBody: true,
      body: { size: size - offset, fill: (target, at, length) => content.fill(target, body, offset + at, length) },
      ...(cut === undefined ? {} : { cutAfter: cut }),
    },
    sink,
  );
  return { ...answer, text: sink.text };
}

function judge(upload: Upload, answer: Answer, { driver, content, turns }: RequestTools): UploadOutcome {
  const endedAt = systemClock.monotonic();
  if (!isSuccess(answer)) return { endedAt, fault: `status ${answer.status}`, explanation: answer.text };
  const acceptance = driver.accepted(upload.name, answer);
  if (acceptance === undefined) return { endedAt, fault: 'unreadable answer', explanation: answer.text };
  const { path, sha256 } = acceptance;
  const stored = { path, size: upload.size, number: upload.number };
  if (sha256 === undefined || !turns.isUploadVerified()) return { endedAt, stored };
  const check = async () => (sha256 === (await hashOf(upload, content)) ? undefined : ('wrong digest' as const));
  return { endedAt, stored, wasVerified: true, check };
}

/** After the upload, and letting others run in between: hashing is no part of what is measured. */
async function hashOf({ number, size }: Upload, content: Content): Promise<string> {
  const hash = createHash('sha256');
  const body = { number, start: content.startOf(number) };
  const piece = Buffer.allocUnsafe(Math.min(size, Content.pieceMax));
  for (let at = 0; at < size; at += piece.length) {
    const length = Math.min(piece.length, size - at);
    content.fill(piece, body, at, length);
    hash.update(piece.subarray(0, length));
    await setImmediate();
  }
  return hash.digest('hex');
}
