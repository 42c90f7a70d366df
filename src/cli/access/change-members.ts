import { type GroupId, parseId } from '../../core/ids.ts';
import type { CommandContext } from '../command.ts';
import type { ClientRequest } from '../http-client.ts';
import { jsonRequest } from '../json-request.ts';
import { withAccess } from './access-client.ts';
import { parseSubject, type Subject, subjectId } from './subject.ts';

/** `quasar group join | leave`: one member after the other; those before one that is refused have joined or left. */
export async function changeMembers(context: CommandContext, verb: 'join' | 'leave'): Promise<number> {
  const [group, ...names] = context.args as [string, ...string[]];
  const groupId = parseId<GroupId>(group, 'GROUP');
  const members = names.map((name) => parseSubject(name, 'MEMBER'));
  const { flags, terminal } = context;
  await withAccess(context, async (client) => {
    for (const member of members) {
      const memberId = await subjectId(member, client);
      await client.repeat(requestOf(verb, `/v1/groups/${groupId}/members/${memberId}`, member));
      if (flags.switch('json')) await terminal.printJson({ groupId, memberId, member: verb === 'join' });
      else await terminal.print(`${memberId} ${verb === 'join' ? 'belongs' : 'does not belong'} to ${groupId}.`);
    }
  });
  return 0;
}

function requestOf(verb: 'join' | 'leave', path: string, member: Subject): ClientRequest {
  if (verb === 'leave') return { method: 'DELETE', path };
  return jsonRequest('PUT', path, JSON.stringify({ kind: member.kind === 'group' ? 'group' : 'principal' }));
}
