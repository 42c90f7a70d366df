import { toUSVString } from 'node:util';
import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';

/** One thing that is wrong with metadata. */
export interface MetadataFault {
  /** JSON Pointer of the place. */
  readonly path: string;
  /** The keyword of the schema that is not met, or a word of ours such as `provenance`. */
  readonly code: string;
  /** A sentence for people, without the full stop where a validator wrote it. */
  readonly message: string;
}

/** The first of them, each cut to a length that a list of them may have. */
export function boundFaults(faults: readonly MetadataFault[]): readonly MetadataFault[] {
  return faults.slice(0, limits.metadataFaultsMax).map(({ path, code, message }) => ({
    path: cut(path, limits.jsonPointerMax),
    code,
    message: cut(message, limits.metadataFaultTextMax),
  }));
}

export function metadataInvalid(op: string, faults: readonly MetadataFault[]): QuasarError {
  return new QuasarError('metadata_invalid', { op, details: { errors: boundFaults(faults) } });
}

/** A cut through a surrogate pair would leave a text that no database takes. */
function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : toUSVString(text.slice(0, lengthMax));
}
