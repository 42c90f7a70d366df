import type { DocumentFilter } from '../../catalog/catalog.ts';
import { parseIri } from '../../metadata/iri.ts';
import { parseTimestamp } from './body-fields.ts';
import { parseLabel } from './request-bodies.ts';

/** `label`, `namespace`, `createdFrom` and `createdBefore` of a query. @throws QuasarError `bad_parameter`. */
export function parseDocumentFilter(query: URLSearchParams): DocumentFilter {
  const label = query.get('label');
  const namespace = query.get('namespace');
  return {
    label: label === null ? undefined : parseLabel(label, 'label'),
    namespace: namespace === null ? undefined : parseIri(namespace, 'namespace'),
    createdFromMs: timeOf(query, 'createdFrom'),
    createdBeforeMs: timeOf(query, 'createdBefore'),
  };
}

function timeOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null ? undefined : parseTimestamp(text, name);
}
