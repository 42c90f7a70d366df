import type { DocumentGuard } from '../../core/document-guard.ts';
import type { DocumentId } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import { documentGuardOf } from '../conditional-write.ts';
import type { Exchange } from '../edge.ts';
import { writeConditionsOf } from '../preconditions.ts';
import type { Services } from './services.ts';

/** What If-Match demands of the document that the path names, to be checked with the change; undefined for nothing. */
export async function guardOf(
  exchange: Exchange,
  documentId: DocumentId,
  { catalog }: Services,
  caller: Caller,
): Promise<DocumentGuard | undefined> {
  const conditions = writeConditionsOf(exchange);
  const current = conditions.ifMatch === undefined ? undefined : await catalog.findVersion(caller, documentId);
  return documentGuardOf(documentId, conditions, current);
}
