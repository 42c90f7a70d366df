import type { RuledThing } from '../../access/rule-store.ts';
import type { FolderId } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import type { Services } from './services.ts';

/** To add a version takes the right to write what is said of a document and its bytes. @throws QuasarError as `Gate.require`. */
export function requireWrite(thing: RuledThing, { gate }: Services, caller: Caller): void | Promise<void> {
  const facts = gate.require(caller, thing, 'doc.write');
  const bytes = () => gate.require(caller, thing, 'blob.write');
  return facts === undefined ? bytes() : facts.then(bytes);
}

/** What has a say about a document that is not there yet. */
export function placeOf(folderId: FolderId | undefined): RuledThing {
  return folderId === undefined ? { kind: 'org' } : { kind: 'folder', folderId };
}
