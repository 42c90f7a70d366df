import { type ErrorCode, type ErrorKind, errorTable, type QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/** What an error is on the wire: an RFC 9457 problem. Causes and stacks never leave the program. */
export interface ProblemAnswer {
  readonly status: number;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: string;
}

export interface ProblemContext {
  readonly requestId: string;
  /** The path of the request. */
  readonly instance: string;
}

const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  precondition: 412,
  unsatisfiable: 416,
  not_found: 404,
  gone: 410,
  conflict: 409,
  too_large: 413,
  busy: 503,
  full: 507,
  unavailable: 503,
  corrupt: 500,
  // Nobody waits for this answer; the number is for the log (as nginx has it).
  cancelled: 499,
  internal: 500,
};

/** Codes whose status says more than their kind's. */
const STATUS_OF_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  method_not_allowed: 405,
  method_unknown: 501,
  http_version_unsupported: 505,
  uri_too_long: 414,
  headers_too_large: 431,
  unsupported_media_type: 415,
  precondition_required: 428,
  digest_mismatch: 422,
  idempotency_mismatch: 422,
  capability_unknown: 422,
  access_rules_invalid: 422,
  subject_not_found: 422,
  metadata_invalid: 422,
  patch_failed: 422,
  schema_invalid: 422,
  validation_stopped: 422,
  migration_lossy: 422,
  upload_stalled: 408,
  length_required: 411,
  rate_limited: 429,
};

export function statusOf(code: ErrorCode): number {
  return STATUS_OF_CODE[code] ?? STATUS_OF_KIND[errorTable[code].kind];
}

export function problemOf(error: QuasarError, context: ProblemContext): ProblemAnswer {
  const status = statusOf(error.code);
  const internal = error.kind === 'internal';
  const title = errorTable[error.code].title;
  const body = {
    type: `urn:quasar:error:${error.code}`,
    title,
    status,
    ...(internal || error.message === title ? {} : { detail: error.message }),
    instance: context.instance,
    code: error.code,
    requestId: context.requestId,
    ...(internal || Object.keys(error.details).length === 0 ? {} : { details: error.details }),
  };
  return {
    status,
    headers: [
      'Content-Type',
      'application/problem+json',
      'Cache-Control',
      'no-store',
      'X-Content-Type-Options',
      'nosniff',
      ...headersOf(error),
    ],
    body: JSON.stringify(body),
  };
}

/** Facts of an error that belong into a header as well, so that a client need not parse the body. */
function headersOf(error: QuasarError): readonly string[] {
  const { details } = error;
  switch (error.code) {
    case 'upload_offset_mismatch':
      return numberHeader('Upload-Offset', details.expected);
    case 'upload_incomplete':
      return numberHeader('Upload-Offset', details.offset);
    case 'method_not_allowed':
      return Array.isArray(details.allow) ? ['Allow', details.allow.join(', ')] : [];
    case 'unsupported_media_type':
      // RFC 9110 15.5.16: what was wrong is the coding.
      return typeof details.acceptEncoding === 'string' ? ['Accept-Encoding', details.acceptEncoding] : [];
    case 'range_unsatisfiable':
      return typeof details.size === 'number' ? ['Content-Range', `bytes */${details.size}`] : [];
    case 'unauthenticated':
      return ['WWW-Authenticate', challengeOf(details.reason)];
    case 'rate_limited':
      return ['Retry-After', String(secondsOf(details.retryAfterMs))];
    default:
      return error.kind === 'busy' || error.kind === 'unavailable' ? ['Retry-After', String(limits.retryAfterSeconds)] : [];
  }
}

/** RFC 6750 section 3: a request without credentials is told the scheme alone. */
function challengeOf(reason: unknown): string {
  return reason === 'credentials_missing' ? 'Bearer realm="quasar"' : 'Bearer realm="quasar", error="invalid_token"';
}

/** Rounded up: a client that comes back when it is told must not come too early. */
function secondsOf(ms: unknown): number {
  return typeof ms === 'number' && Number.isFinite(ms) ? Math.max(1, Math.ceil(ms / 1000)) : limits.retryAfterSeconds;
}

function numberHeader(name: string, value: unknown): readonly string[] {
  return typeof value === 'number' && Number.isSafeInteger(value) ? [name, String(value)] : [];
}
