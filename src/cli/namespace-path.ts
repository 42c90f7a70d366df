import { isQuasarError, QuasarError } from '../core/errors.ts';
import { parseIri } from '../metadata/iri.ts';
import { documentPath } from './version-selector.ts';

/** @throws QuasarError `bad_parameter`. */
export function namespacePath(document: string, namespace: string): string {
  return `${documentPath(document)}/metadata/${encodeURIComponent(parseIri(namespace, 'NAMESPACE'))}`;
}

/** Says where to look when the namespace is not there; other errors pass. */
export function explainMissing(error: unknown, document: string, namespace: string): unknown {
  if (!isQuasarError(error, 'metadata_not_found')) return error;
  return new QuasarError('metadata_not_found', {
    op: 'cli.metadata',
    message: `There is no such metadata of ${namespace}; "quasar meta get ${document}" shows what there is.`,
    details: error.details,
    cause: error,
  });
}
