import { QuasarError } from '../core/errors.ts';
import { formatPointer } from './json-pointer.ts';

/** @param path where in the schema. */
export function schemaInvalid(path: readonly (string | number)[], message: string): QuasarError {
  return new QuasarError('schema_invalid', { op: 'metadata.checkSchema', message, details: { path: formatPointer(path) } });
}
