import { type ErrorCode, QuasarError } from '../core/errors.ts';
import { announcedDigests, digestHeaders, promisesDigest } from './body-digests.ts';
import type { Exchange } from './edge.ts';
import { mediaTypeOf } from './json-body.ts';

/**
 * What the body of a route is: JSON about something, a whole record, or the next piece of one. `POST /v1/documents` takes a
 * record or, as application/json, a description of one to come.
 */
export type RouteBody = 'json' | 'record' | 'piece';

/**
 * Refuses a body that its headers say is something else than the bytes themselves: a part of a file, an encoding of it,
 * another protocol's frame around it, or bytes with a digest that nobody here would compare. Stored as they come, such bytes
 * would be a record that its sender never meant. Runs before any handler reads a body; digests that can be compared are
 * compared where the body is read.
 * @throws QuasarError `unsupported_media_type`, `bad_parameter`, `length_required`.
 */
export function admitBody(exchange: Pick<Exchange, 'header' | 'headerNames' | 'bodySize'>, body: RouteBody): void {
  for (const rule of RULES) {
    const value = exchange.header(rule.name);
    if (value !== undefined && (rule.refuses === undefined || rule.refuses(value, body))) throw refusal(rule);
  }
  // Whatever else such a header is called: its client believes the bytes to be checked.
  const unknown = exchange.headerNames().find(promisesDigest);
  if (unknown !== undefined) throw badHeader(unknown, DIGESTS);
  const type = exchange.header('content-type');
  if (type !== undefined && body !== 'json') refuseFrames(mediaTypeOf(type), body);
  refuseTrailers(exchange.header('trailer'));
  if (body === 'record' && exchange.bodySize === 0 && exchange.header('content-length') === undefined) {
    throw new QuasarError('length_required', {
      op: OP,
      message: 'The request has no body. Content-Length: 0 says that an empty record is meant.',
    });
  }
  const whole = announcedDigests(exchange).find((digest) => digest.whole);
  if (whole !== undefined && body === 'piece') {
    throw badHeader(
      whole.header,
      'is about the whole file. Send Content-Digest for this piece, and `digests` when the upload is finalised',
    );
  }
}

interface BodyRule {
  /** In lower case. */
  readonly name: string;
  readonly header: string;
  readonly code?: ErrorCode;
  /** Why, and what to do instead; begins with a verb. */
  readonly why: string;
  /** Undefined: any value. */
  readonly refuses?: (value: string, body: RouteBody) => boolean;
}

const PIECES = 'An upload session takes a file in pieces: see PUT /v1/uploads/{uploadId}/bytes';
const DIGESTS = 'holds a digest that is not compared here. Send Content-Digest, Content-MD5 or x-amz-checksum-sha256';
const OFFSETS = ['X-Goog-Upload-Offset', 'x-amz-write-offset-bytes', 'x-ms-blob-condition-appendpos'];
const OTHER = 'belongs to an upload protocol that is not spoken here';

const RULES: readonly BodyRule[] = [
  {
    ...named('Content-Encoding'),
    code: 'unsupported_media_type',
    why: 'is not taken: bytes are stored as they come. Send them without it',
    refuses: (value) => value.split(',').some((coding) => coding.trim() !== '' && coding.trim().toLowerCase() !== 'identity'),
  },
  {
    ...named('Content-Transfer-Encoding'),
    code: 'unsupported_media_type',
    why: 'is not taken: bytes are stored as they come. Send them without it',
    refuses: (value) => !/^(?:binary|identity|7bit|8bit)$/i.test(value.trim()),
  },
  ...['Content-Range', 'X-Content-Range', 'X-Update-Range', 'x-ms-range', 'OC-Chunked', ...OFFSETS].map((header) => ({
    ...named(header),
    why: `says that the body is a part of a file. ${PIECES}`,
  })),
  {
    ...named('Upload-Offset'),
    why: `says that the body is a part of a file. ${PIECES}`,
    refuses: (_value, body) => body !== 'piece',
  },
  {
    ...named('Upload-Complete'),
    why: `says something else about the end of the file than this route does. ${PIECES}, and finalize ends it`,
    refuses: (value, body) => value.trim() !== (body === 'piece' ? '?0' : '?1'),
  },
  ...['Tus-Resumable', 'Upload-Metadata', 'Upload-Concat', 'Upload-Defer-Length', 'Upload-Length', 'Upload-Incomplete'].map(
    other,
  ),
  ...['X-Goog-Resumable', 'X-Goog-Upload-Command', 'X-Goog-Upload-Protocol'].map(other),
  ...['X-Upload-Content-Length', 'X-Upload-Content-Type'].map(other),
  ...['x-amz-copy-source', 'x-ms-copy-source', 'x-ms-page-write'].map(other),
  { ...other('x-ms-blob-type'), refuses: (value) => value.trim().toLowerCase() !== 'blockblob' },
  ...['x-amz-decoded-content-length', 'x-amz-trailer'].map((header) => ({
    ...named(header),
    code: 'unsupported_media_type' as const,
    why: 'says that the body is framed (aws-chunked), which is not read here. Send the bytes themselves',
  })),
  {
    ...named('x-amz-content-sha256'),
    code: 'unsupported_media_type',
    why: 'says that the body is framed (aws-chunked), which is not read here. Send the bytes themselves',
    refuses: (value) => value.startsWith('STREAMING-'),
  },
  { ...named('X-Goog-Hash'), why: DIGESTS },
  ...['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'].map((header) => ({
    ...named(header),
    why: 'asks for another method than the request has. Send the request with that method',
  })),
];

function named(header: string): Pick<BodyRule, 'name' | 'header'> {
  return { name: header.toLowerCase(), header };
}

function other(header: string): BodyRule {
  return { ...named(header), why: `${OTHER}. ${PIECES}` };
}

/** Forms and parts are frames around bytes, whoever reads them. */
function refuseFrames(type: string, body: RouteBody): void {
  const frames = body === 'piece' ? PIECE_FRAMES : RECORD_FRAMES;
  const instead = frames.get(type);
  if (instead === undefined) return;
  throw new QuasarError('unsupported_media_type', { op: OP, message: instead });
}

const FORM = 'Send the bytes themselves, not a form: with curl, --data-binary @FILE instead of -F.';
const PIECE_FRAMES: ReadonlyMap<string, string> = new Map([
  ['multipart/form-data', FORM],
  ['multipart/byteranges', `This type says that the body is parts of a file. ${PIECES}.`],
]);
const RECORD_FRAMES: ReadonlyMap<string, string> = new Map([
  ...PIECE_FRAMES,
  ['application/offset+octet-stream', `This type says that the body is a part of a file. ${PIECES}.`],
  ['application/partial-upload', `This type says that the body is a part of a file. ${PIECES}.`],
]);

/** A digest that comes after the body is never seen by a handler. */
function refuseTrailers(trailer: string | undefined): void {
  const names = (trailer ?? '').split(',').map((name) => name.trim().toLowerCase());
  const promised = names.find(
    (name) => digestHeaders.includes(name) || promisesDigest(name) || RULES.some((rule) => rule.name === name),
  );
  if (promised !== undefined)
    throw badHeader('Trailer', `promises ${promised} after the body, where it is not read. Send it before`);
}

function refusal({ header, code, why }: BodyRule): QuasarError {
  if (code === undefined) return badHeader(header, why);
  const details = { parameter: header, ...(header === 'Content-Encoding' ? { acceptEncoding: 'identity' } : {}) };
  return new QuasarError(code, { op: OP, message: `${header} ${why}.`, details });
}

function badHeader(parameter: string, why: string): QuasarError {
  return new QuasarError('bad_parameter', { op: OP, message: `${parameter} ${why}.`, details: { parameter } });
}

const OP = 'http.admitBody';
