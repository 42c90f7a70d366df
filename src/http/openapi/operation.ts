import type { ErrorCode } from '../../core/errors.ts';
import type { HeaderName, ParameterName } from './parts.ts';
import type { SchemaName } from './schemas.ts';

/** What one route takes and answers, as data; `openapi.ts` writes it out as OpenAPI. */
export interface Operation {
  readonly method: 'get' | 'head' | 'post' | 'put' | 'delete';
  /** As in the route table: `/v1/documents/{documentId}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: 'System' | 'Documents' | 'Metadata' | 'Uploads' | 'Content' | 'Access' | 'Audit';
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly ParameterName[];
  readonly body?: RequestBody;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Errors a client should expect here, besides `internal` and those of any request. */
  readonly problems: readonly ErrorCode[];
}

export interface RequestBody {
  readonly required: boolean;
  readonly json?: SchemaName;
  /** A further media type of the same route, with its schema. */
  readonly also?: { readonly type: string; readonly json: SchemaName };
  /** Any other media type: the bytes themselves. */
  readonly bytes?: boolean;
}

export interface Answer {
  readonly description: string;
  readonly headers?: readonly HeaderName[];
  readonly json?: SchemaName;
  /** Media types whose content is bytes or text. */
  readonly media?: readonly string[];
}
