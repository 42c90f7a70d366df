import type { VersionFacts } from '../../catalog/catalog.ts';
import type { Caller } from '../caller.ts';
import type { Services } from './services.ts';

/**
 * What an earlier request made is told again to those alone who may read it now: its document may be hidden since, or disposed of.
 * @throws QuasarError as `Gate.require`.
 */
export async function readAnswer({ documentId, versionId }: VersionFacts, { gate }: Services, caller: Caller): Promise<void> {
  await gate.require(caller, { kind: 'document', documentId }, 'doc.read');
  await gate.noteRead(caller, { action: 'doc.read', documentId, versionId, bytes: 0 });
}
