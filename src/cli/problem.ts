import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { type ErrorCode, errorTable, QuasarError } from '../core/errors.ts';

const PROBLEM_SIZE_MAX = 64 * 1024;

/** Reads a problem+json answer into the error it stands for; anything else becomes the nearest of our codes. */
export async function problemOf(answer: { status: number; headers: IncomingHttpHeaders; body: Readable }): Promise<QuasarError> {
  const problem = parseProblem(await readAtMost(answer.body, PROBLEM_SIZE_MAX));
  const code = knownCode(problem.code) ?? codeOfStatus(answer.status);
  const sentence = text(problem.detail) ?? text(problem.title) ?? errorTable[code].title;
  return new QuasarError(code, {
    op: 'cli.request',
    message: sentence,
    details: {
      ...(isObject(problem.details) ? problem.details : {}),
      ...withoutUndefined({
        status: answer.status,
        requestId: text(problem.requestId) ?? text(answer.headers['x-request-id']),
        uploadOffset: wholeNumber(answer.headers['upload-offset']),
        retryAfterMs: retryAfterMs(answer.headers['retry-after']),
      }),
    },
  });
}

/** The head alone, as HEAD answers: their problems have no body. */
function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'unauthenticated';
    case 403:
      return 'forbidden';
    case 404:
      return 'document_not_found';
    case 408:
      return 'upload_stalled';
    case 409:
      return 'version_conflict';
    case 410:
      return 'upload_expired';
    case 412:
      return 'precondition_failed';
    case 413:
      return 'body_too_large';
    case 416:
      return 'range_unsatisfiable';
    case 429:
      return 'too_many_uploads';
    case 507:
      return 'storage_full';
    case 502:
    case 503:
    case 504:
      return 'server_unreachable';
    default:
      return status >= 500 ? 'unexpected_answer' : 'bad_request';
  }
}

function knownCode(code: unknown): ErrorCode | undefined {
  return typeof code === 'string' && Object.hasOwn(errorTable, code) ? (code as ErrorCode) : undefined;
}

function parseProblem(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : {};
  } catch {
    // A proxy's page, or no body at all: the status has to do.
    return {};
  }
}

async function readAtMost(body: Readable, sizeMax: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > sizeMax) return '';
      parts.push(part);
    }
  } catch {
    // The status is known already; a broken body only costs the sentence.
    return '';
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Only the form in seconds, which is the one our servers send. */
function retryAfterMs(header: string | undefined): number | undefined {
  const seconds = wholeNumber(header);
  return seconds === undefined ? undefined : seconds * 1000;
}

export function wholeNumber(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
