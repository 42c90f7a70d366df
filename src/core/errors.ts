/**
 * Every failure a caller can meet, by stable code. docs/errors.md explains each for users; a test compares the two.
 * What a kind means on the wire is decided in http/problem.ts, on a terminal in cli/exit-code.ts.
 */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'precondition'
  | 'unsatisfiable'
  | 'not_found'
  | 'gone'
  | 'conflict'
  | 'too_large'
  | 'busy'
  | 'full'
  | 'unavailable'
  | 'corrupt'
  | 'cancelled'
  | 'internal';

interface ErrorFacts {
  readonly kind: ErrorKind;
  readonly title: string;
}

export const errorTable = {
  // requests
  bad_request: { kind: 'invalid', title: 'The request is malformed.' },
  bad_parameter: { kind: 'invalid', title: 'A path, query or header value is not what it must be.' },
  bad_body: { kind: 'invalid', title: 'The request body is not valid JSON of the expected shape.' },
  route_not_found: { kind: 'not_found', title: 'There is no such route.' },
  http_version_unsupported: { kind: 'invalid', title: 'The server speaks HTTP/1.1 and HTTP/1.0 only.' },
  method_unknown: { kind: 'invalid', title: 'The server does not know this method.' },
  method_not_allowed: { kind: 'invalid', title: 'The route does not take this method.' },
  unsupported_media_type: { kind: 'invalid', title: 'The media type of the request is not taken here.' },
  uri_too_long: { kind: 'too_large', title: 'The path or the query is longer than the server takes.' },
  headers_too_large: { kind: 'too_large', title: 'The request has more headers than the server takes.' },
  body_too_large: { kind: 'too_large', title: 'The request body is larger than this route takes.' },
  precondition_failed: { kind: 'precondition', title: 'A condition of the request does not hold.' },
  precondition_required: { kind: 'precondition', title: 'The request must say what it was written against.' },
  precondition_unsupported: { kind: 'invalid', title: 'The route cannot evaluate a condition of the request.' },
  range_unsatisfiable: { kind: 'unsatisfiable', title: 'No part of the requested range exists.' },
  // who may
  unauthenticated: { kind: 'unauthenticated', title: 'The request carries no credentials that are valid here.' },
  forbidden: { kind: 'forbidden', title: 'The credentials do not allow this.' },
  capability_unknown: { kind: 'invalid', title: 'There is no such capability.' },
  access_rules_invalid: { kind: 'invalid', title: 'The access rules cannot be taken.' },
  rules_changed: { kind: 'precondition', title: 'The access rules changed in the meantime.' },
  subject_not_found: { kind: 'invalid', title: 'The organisation has no such principal or group.' },
  org_not_found: { kind: 'not_found', title: 'There is no such organisation.' },
  principal_not_found: { kind: 'not_found', title: 'There is no such principal.' },
  group_not_found: { kind: 'not_found', title: 'There is no such group.' },
  folder_not_found: { kind: 'not_found', title: 'There is no such folder.' },
  key_not_found: { kind: 'not_found', title: 'There is no such API key.' },
  name_taken: { kind: 'conflict', title: 'Another one has this name.' },
  subject_taken: { kind: 'conflict', title: 'Another principal has this subject.' },
  last_administrator: { kind: 'conflict', title: 'The organisation would be left without an administrator.' },
  stands_above: { kind: 'forbidden', title: 'It would shut out somebody who stands above.' },
  own_principal: { kind: 'conflict', title: 'Nobody suspends himself or changes his own roles.' },
  operator_org: { kind: 'conflict', title: "The operator's organisation cannot be suspended." },
  nested_in_itself: { kind: 'conflict', title: 'It would lie within itself.' },
  nested_too_deep: { kind: 'conflict', title: 'It would lie deeper than it may.' },
  folder_not_empty: { kind: 'conflict', title: 'The folder is not empty.' },
  too_many_groups: { kind: 'conflict', title: 'The organisation has as many groups as it may.' },
  too_many_keys: { kind: 'conflict', title: 'The principal has as many API keys as it may.' },
  length_required: { kind: 'invalid', title: 'The size of the body must be said before it is sent.' },
  rate_limited: { kind: 'busy', title: 'More was asked within a short time than the limit allows.' },
  audit_unavailable: { kind: 'unavailable', title: 'The audit log cannot take a line, and nothing is shown without one.' },
  identity_unavailable: { kind: 'unavailable', title: 'The keys that tokens are checked with cannot be had.' },
  // uploads
  upload_not_found: { kind: 'not_found', title: 'There is no such upload.' },
  upload_expired: { kind: 'gone', title: 'The upload was idle for too long and has expired.' },
  upload_offset_mismatch: { kind: 'conflict', title: 'The request starts at a byte other than the durable offset.' },
  upload_taken_over: { kind: 'conflict', title: 'Another request took this upload over.' },
  upload_incomplete: { kind: 'conflict', title: 'The upload has not reached its declared size.' },
  upload_closed: { kind: 'conflict', title: 'The upload is no longer open.' },
  finalize_conflict: { kind: 'conflict', title: 'The upload was finalised with other arguments.' },
  upload_too_large: { kind: 'too_large', title: 'The upload is larger than declared or allowed.' },
  upload_stalled: { kind: 'cancelled', title: 'The client sent too little for too long.' },
  too_many_connections: { kind: 'busy', title: 'All connections are taken.' },
  too_many_uploads: { kind: 'busy', title: 'All upload places are taken.' },
  draining: { kind: 'busy', title: 'The server is shutting down and takes no new uploads.' },
  digest_mismatch: { kind: 'invalid', title: 'The bytes received do not have the digest that was sent with them.' },
  idempotency_mismatch: { kind: 'invalid', title: 'The idempotency key was used with other arguments.' },
  // documents and blobs
  document_not_found: { kind: 'not_found', title: 'There is no such document.' },
  document_disposed: { kind: 'gone', title: 'The document was disposed of.' },
  id_not_available: { kind: 'conflict', title: 'The id cannot be chosen for a document.' },
  document_held: { kind: 'conflict', title: 'The document is under a hold.' },
  document_retained: { kind: 'conflict', title: 'The document is to be kept for longer.' },
  retention_shortened: { kind: 'conflict', title: 'The document is to be kept for longer than this.' },
  document_ambiguous: { kind: 'conflict', title: 'More than one organisation has a document of this id.' },
  version_not_found: { kind: 'not_found', title: 'There is no such version.' },
  blob_not_found: { kind: 'not_found', title: 'There is no such blob.' },
  ref_not_found: { kind: 'not_found', title: 'The document has no such external reference.' },
  ref_taken: { kind: 'conflict', title: 'Another document has this external reference.' },
  label_conflict: { kind: 'conflict', title: 'The label stands at another version than expected.' },
  version_conflict: { kind: 'conflict', title: 'The document changed in the meantime.' },
  // metadata
  metadata_invalid: { kind: 'invalid', title: 'The metadata does not fit its schema or its envelope.' },
  metadata_too_large: { kind: 'too_large', title: 'The metadata is larger or deeper than one namespace may hold.' },
  patch_failed: { kind: 'invalid', title: 'An operation of the patch cannot be applied.' },
  metadata_not_found: { kind: 'not_found', title: 'The version has no metadata of this namespace.' },
  metadata_conflict: { kind: 'conflict', title: 'The metadata of the namespace changed in the meantime.' },
  schema_not_found: { kind: 'not_found', title: 'There is no such schema.' },
  schema_differs: { kind: 'conflict', title: 'The URN names a schema with other content.' },
  namespace_twin: { kind: 'conflict', title: 'There is a namespace whose name could be taken for this one.' },
  schema_invalid: { kind: 'invalid', title: 'The schema cannot be taken.' },
  schema_state: { kind: 'conflict', title: 'The state of the schema does not allow this.' },
  validation_stopped: { kind: 'invalid', title: 'The validation took too long or too much memory and was stopped.' },
  validation_busy: { kind: 'busy', title: 'Too many validations are waiting.' },
  migration_not_found: { kind: 'not_found', title: 'There is no migration between these schemas.' },
  migration_differs: { kind: 'conflict', title: 'There is another migration between these schemas.' },
  migration_lossy: { kind: 'invalid', title: 'The migration does not carry every sample there and back.' },
  // the audit log
  audit_event_not_found: { kind: 'not_found', title: 'The audit log has no event of this number.' },
  checkpoint_not_found: { kind: 'not_found', title: 'The audit log has no checkpoint of at most this size.' },
  // storage
  storage_full: { kind: 'full', title: 'The disk is too full to take new uploads.' },
  storage_busy: { kind: 'busy', title: 'The storage cannot take this at the moment.' },
  storage_unusable: { kind: 'unavailable', title: 'The storage directory cannot be used as it is.' },
  storage_in_use: { kind: 'unavailable', title: 'Another process holds this storage directory.' },
  storage_incompatible: {
    kind: 'unavailable',
    title: 'The storage directory was made with other settings or by another version.',
  },
  node_read_only: { kind: 'unavailable', title: 'The storage node takes no writes.' },
  node_closed: { kind: 'unavailable', title: 'The storage node is closed.' },
  corrupt: { kind: 'corrupt', title: 'Stored bytes no longer match their digest.' },
  block_missing: { kind: 'corrupt', title: 'A stored block cannot be found.' },
  block_unavailable: { kind: 'unavailable', title: 'A stored block cannot be read at the moment.' },
  // dependencies and ourselves
  database_unavailable: { kind: 'unavailable', title: 'The database does not answer.' },
  database_refused: { kind: 'unavailable', title: 'The database is not set up safely.' },
  commit_unknown: { kind: 'unavailable', title: 'Whether the change took place is not known.' },
  timeout: { kind: 'unavailable', title: 'The database took too long, and nothing was changed.' },
  cancelled: { kind: 'cancelled', title: 'The operation was cancelled.' },
  port_in_use: { kind: 'unavailable', title: 'The address to listen on cannot be taken.' },
  config_invalid: { kind: 'invalid', title: 'The configuration is not valid.' },
  usage: { kind: 'invalid', title: 'The command line is not valid.' },
  // the client's side of a command
  file_unreadable: { kind: 'invalid', title: 'A local file cannot be read or written.' },
  file_changed: { kind: 'conflict', title: 'A local file changed while it was being sent.' },
  source_differs: { kind: 'precondition', title: 'What was read is not what --size, --sha256 or --b3 says.' },
  server_unreachable: { kind: 'unavailable', title: 'The server does not answer.' },
  unexpected_answer: { kind: 'unavailable', title: 'The server answered something this client does not understand.' },
  internal: { kind: 'internal', title: 'An unexpected error happened.' },
} as const satisfies Record<string, ErrorFacts>;

export type ErrorCode = keyof typeof errorTable;

export interface ErrorContext {
  /** `folder.verb`, the same string as in metrics. */
  readonly op: string;
  /** Shown to callers: no internals, no paths, no SQL. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** Replaces the code's title where a sentence with the facts at hand helps more. */
  readonly message?: string;
}

export class QuasarError extends Error {
  override readonly name = 'QuasarError';
  readonly code: ErrorCode;
  readonly op: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, context: ErrorContext) {
    super(context.message ?? errorTable[code].title, context.cause === undefined ? undefined : { cause: context.cause });
    this.code = code;
    this.op = context.op;
    this.details = context.details ?? {};
  }

  get kind(): ErrorKind {
    return errorTable[this.code].kind;
  }
}

export function isQuasarError(error: unknown, code?: ErrorCode): error is QuasarError {
  return error instanceof QuasarError && (code === undefined || error.code === code);
}

/** Wraps what is not ours yet, so that every failure leaves with a code. */
export function toQuasarError(error: unknown, op: string): QuasarError {
  return error instanceof QuasarError ? error : new QuasarError('internal', { op, cause: error });
}
