import { type DocumentId, type FolderId, isId, type OrgId, parseId } from '../../core/ids.ts';
import type { ArgumentSpec } from '../command.ts';
import { usage } from '../flags.ts';
import type { AccessClient } from './access-client.ts';

/** What rules hang on. An org without id is the caller's own. */
export type Thing =
  | { readonly kind: 'document'; readonly id: DocumentId }
  | { readonly kind: 'folder'; readonly id: FolderId }
  | { readonly kind: 'org'; readonly id: OrgId | undefined };

export const thingArgument: ArgumentSpec = {
  name: 'THING',
  description: 'document:ID, folder:ID, or org: the whole org of the key.',
};

/** @throws QuasarError `usage`, `bad_parameter`. */
export function parseThing(text: string): Thing {
  const [, kind, id] = /^([a-z]+)(?::(.*))?$/.exec(text) ?? [];
  if (kind === 'org') return { kind, id: id === undefined ? undefined : parseId<OrgId>(id, 'THING') };
  if (kind === 'document' && id !== undefined) return { kind, id: parseId<DocumentId>(id, 'THING') };
  if (kind === 'folder' && id !== undefined) return { kind, id: parseId<FolderId>(id, 'THING') };
  const advice = isId(text) ? `document:${text} or folder:${text}` : 'document:ID, folder:ID or org';
  throw usage(`THING is not "${text}"; write ${advice}.`);
}

/** Asks the server which org is the caller's own. */
export async function thingPath(thing: Thing, client: AccessClient): Promise<string> {
  const id = thing.kind === 'org' ? (thing.id ?? (await client.self()).orgId) : thing.id;
  return `/v1/${thing.kind}s/${id}`;
}
