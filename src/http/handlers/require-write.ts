import type { RuledThing } from '../../access/rule-store.ts';
import { isQuasarError, QuasarError } from '../../core/errors.ts';
import type { FolderId } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import type { Services } from './services.ts';

/** To add a version takes the right to write what is said of a document and its bytes. @throws QuasarError as `Gate.require`. */
export function requireWrite(thing: RuledThing, { gate }: Services, caller: Caller): void | Promise<void> {
  const facts = gate.require(caller, thing, 'doc.write');
  const bytes = () => gate.require(caller, thing, 'blob.write');
  return facts === undefined ? bytes() : facts.then(bytes);
}

/**
 * The same for a document by an id that the caller chose for a new one. That it is one of a hidden document is told like that of
 * anything else which has it.
 */
export async function requireWriteById(thing: RuledThing, services: Services, caller: Caller, op: string): Promise<void> {
  try {
    await requireWrite(thing, services, caller);
  } catch (cause) {
    if (!isQuasarError(cause, 'document_not_found')) throw cause;
    throw new QuasarError('id_not_available', { op, cause });
  }
}

/** What has a say about a document that is not there yet. */
export function placeOf(folderId: FolderId | undefined): RuledThing {
  return folderId === undefined ? { kind: 'org' } : { kind: 'folder', folderId };
}
