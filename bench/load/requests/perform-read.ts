import { systemClock } from '../../../src/core/clock.ts';
import { DocumentSink } from './answer-sinks.ts';
import type { KnownDocument } from './documents.ts';
import type { Fault, Outcome } from './outcome.ts';
import type { PlannedRequest } from './planned-request.ts';
import { cutAfter, type RequestTools } from './request-tools.ts';

/** Reads a document, or a range of it, and looks at what comes. */
export async function performRead(
  request: PlannedRequest,
  document: KnownDocument,
  tools: RequestTools,
): Promise<{ outcome: Outcome; bytes: number }> {
  const { driver, content, connection } = tools;
  const range = request.kind === 'range' ? placeRange(request, document.size) : undefined;
  const { start, end } = range ?? { start: 0, end: document.size };
  const { number } = document;
  const isVerified = number !== undefined && tools.turns.isReadVerified();
  const expected = isVerified ? { content, body: { number, start: content.startOf(number) }, offset: start } : undefined;
  const status = range === undefined ? 200 : 206;
  const sink = new DocumentSink(status, expected);
  const cut = cutAfter(request.cutAt, end - start);
  const head = tools.wire.write(driver.read(document.path, range), undefined);
  const answer = await connection.exchange(
    { head, isAnsweredWithBody: true, ...(cut === undefined ? {} : { cutAfter: cut }) },
    sink,
  );
  const endedAt = systemClock.monotonic();
  const fault = faultOf(answer.status, status, sink, end - start);
  const wasVerified = isVerified && answer.status === status;
  return { outcome: { endedAt, ...(fault === undefined ? {} : { fault }), wasVerified }, bytes: end - start };
}

/** A range of at most the document, of any place in it. */
export function placeRange({ rangeSize, rangeAt }: Pick<PlannedRequest, 'rangeSize' | 'rangeAt'>, size: number) {
  const length = Math.min(rangeSize, size);
  const start = Math.floor(rangeAt * (size - length + 1));
  return { start, end: start + length };
}

function faultOf(status: number, expected: number, sink: DocumentSink, size: number): Fault | undefined {
  if (status !== expected) return status === 200 ? 'range ignored' : `status ${status}`;
  if (sink.size !== size) return 'wrong size';
  return sink.wrongAt === undefined ? undefined : 'wrong bytes';
}
