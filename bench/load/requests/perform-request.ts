import { systemClock } from '../../../src/core/clock.ts';
import type { HttpConnection } from '../http/http-connection.ts';
import type { Workplace } from '../worker/workplace.ts';
import type { Documents } from './documents.ts';
import { isSuccess, type Outcome } from './outcome.ts';
import { performRead } from './perform-read.ts';
import { ask, performUpload } from './perform-upload.ts';
import type { PlannedRequest } from './planned-request.ts';

export interface Performed {
  readonly outcome: Outcome;
  /** Of the document, or the part of it, that went over the wire when all was well. */
  readonly bytes: number;
}

/** Does what was planned. @throws ConnectionFault when no whole answer came. */
export async function performRequest(
  request: PlannedRequest,
  workplace: Workplace,
  documents: Documents,
  connection: HttpConnection,
): Promise<Performed> {
  const tools = workplace.toolsFor(connection);
  const { driver } = workplace;
  switch (request.kind) {
    case 'upload': {
      const { index, size, cutAt } = request;
      const wish = { name: workplace.nameOf(index), number: workplace.bodyNumber(index), size, cutAt };
      const outcome = await performUpload(wish, tools);
      if (outcome.stored !== undefined) documents.stored(index, outcome.stored);
      return { outcome, bytes: size };
    }
    case 'download':
    case 'range':
      return performRead(request, documents.pick(request), tools);
    case 'metadata':
      return performAsking(driver.metadata(documents.pick(request).path), tools);
    case 'list':
      if (driver.list === undefined) throw new Error('this driver has no lists; the command line was not checked');
      return performAsking(driver.list(), tools);
  }
}

async function performAsking(request: Parameters<typeof ask>[0], tools: Parameters<typeof ask>[1]): Promise<Performed> {
  const answer = await ask(request, tools);
  const endedAt = systemClock.monotonic();
  const outcome: Outcome = isSuccess(answer)
    ? { endedAt }
    : { endedAt, fault: `status ${answer.status}`, explanation: answer.text };
  return { outcome, bytes: 0 };
}
