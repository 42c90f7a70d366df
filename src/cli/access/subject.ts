import { type GroupId, type PrincipalId, parseId } from '../../core/ids.ts';
import type { AccessClient } from './access-client.ts';

/** Who is meant on a command line: a principal, whoever shows the key, or a group. */
export type Subject =
  | { readonly kind: 'principal'; readonly id: PrincipalId }
  | { readonly kind: 'self' }
  | { readonly kind: 'group'; readonly id: GroupId };

/** An id, or `me`. @throws QuasarError `bad_parameter`. */
export function parsePrincipal(text: string, name: string): Exclude<Subject, { kind: 'group' }> {
  return text === 'me' ? { kind: 'self' } : { kind: 'principal', id: parseId<PrincipalId>(text, name) };
}

/** As `parsePrincipal`, or `group:` and an id. @throws QuasarError `bad_parameter`. */
export function parseSubject(text: string, name: string): Subject {
  if (!text.startsWith(GROUP)) return parsePrincipal(text, name);
  return { kind: 'group', id: parseId<GroupId>(text.slice(GROUP.length), name) };
}

/** Asks the server who `me` is. */
export async function subjectId(subject: Subject, client: AccessClient): Promise<PrincipalId | GroupId> {
  return subject.kind === 'self' ? (await client.self()).principalId : subject.id;
}

const GROUP = 'group:';
