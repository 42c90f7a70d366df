import type { AnswerHead } from '../http/answer-parser.ts';
import type { Kind } from '../plan/plan.ts';

export const driverNames = ['quasar', 'http', 's3', 's3-signed'] as const;
export type DriverName = (typeof driverNames)[number];

/** A request without its body and without what every request has (Host, headers of the installation). */
export interface DriverRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** Path and query, as they go over the wire. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A body that is text. */
  readonly text?: string;
}

export interface Answer extends AnswerHead {
  /** Of an answer that is no document: the beginning of its body. */
  readonly text: string;
}

/** What an accepted upload is known by afterwards. */
export interface Acceptance {
  /** Of the document, for reading it. */
  readonly path: string;
  /** SHA-256 in hex, from servers that tell it. */
  readonly sha256?: string;
}

/** How one kind of server is asked. Makes requests and understands answers; does no input or output. */
export interface Driver {
  readonly kinds: readonly Kind[];
  /** Stores a body in one request. */
  upload(name: string, size: number): DriverRequest;
  /** What the 2xx answer to an upload says; undefined when it is not what such a server answers. */
  accepted(name: string, answer: Answer): Acceptance | undefined;
  /** Whole, or the bytes from `start` to before `end`. */
  read(path: string, range?: { readonly start: number; readonly end: number }): DriverRequest;
  metadata(path: string): DriverRequest;
  /** Of servers whose `kinds` name it. */
  list?(): DriverRequest;
  /** Of servers that continue an upload where it broke; others get it again from its beginning. */
  readonly sessions?: UploadSessions;
}

/** An upload in several requests. */
export interface UploadSessions {
  open(name: string, size: number): DriverRequest;
  /** The path of the session; undefined when the answer names none. */
  opened(answer: Answer): string | undefined;
  append(session: string, offset: number): DriverRequest;
  ask(session: string): DriverRequest;
  /** How much the server says it has; undefined when the answer does not tell. */
  offset(answer: Answer): number | undefined;
  finish(session: string): DriverRequest;
}
