import { type Capability, hasCapability } from '../core/capability.ts';
import type { AccessList } from './access-list.ts';
import { effectiveOn, type Requester } from './decide.ts';
import { type Explanation, ruleLine, scopeLine } from './explain.ts';
import type { RulePlace } from './rule.ts';

/** As much of an explanation as somebody may know who asked for it: what is decided, and why as far as he administers it. */
export interface NarrowedExplanation extends Omit<Explanation, 'decision'> {
  readonly decision: Omit<Explanation['decision'], 'reason' | 'decidedBy'> & {
    /** `decided_outside`: by a rule, role or suspension that is for others to see; or nothing there allows it. */
    readonly reason: Explanation['decision']['reason'] | 'decided_outside';
    readonly decidedBy: Explanation['decision']['decidedBy'] | 'outside';
  };
}

/**
 * Of a thing whose list this is, for `asker`. Whoever may change the rules of the org sees all. Others see the rules of the places
 * whose rules they may change, and nothing of roles but their own: a folder's delegate learns what somebody may do there, not what
 * the org says of him elsewhere.
 */
export function narrowExplanation(
  explanation: Explanation,
  { asker, about, list, action }: { asker: Requester; about: Requester; list: AccessList; action: Capability },
): NarrowedExplanation {
  const seen = placesAdministered(asker, list);
  // A credential that is refused says nothing of rules and roles.
  if (seen.some(({ kind }) => kind === 'org') || explanation.decision.reason === 'credential_refused') return explanation;
  const considered = explanation.considered.filter(({ place }) => seen.some((one) => isSame(one, place)));
  const { allowed, hidden, reason, decidedBy } = explanation.decision;
  const ofRule = considered.some(({ rule }) => rule.id === decidedBy);
  const ofHimself = about.principalId === asker.principalId && (decidedBy === 'role' || decidedBy === 'scope');
  const told = ofRule || ofHimself ? { reason, decidedBy } : ({ reason: 'decided_outside', decidedBy: 'outside' } as const);
  const [question = ''] = explanation.lines;
  const lines = [
    question,
    ...considered.map((one) => ruleLine(one, action)),
    // What he named himself, or may administer.
    scopeLine(about, action, explanation.credential),
    'Rules farther out, and roles, are for administrators of the org to see.',
    ofRule || ofHimself
      ? (explanation.lines.at(-1) as string)
      : `${allowed ? 'Allowed' : 'Denied'}: by what is decided farther out.`,
  ];
  return { decision: { allowed, hidden, ...told }, credential: explanation.credential, considered, lines };
}

/** Those of the list whose rules he may change: what holds there is what stands from there outwards. */
function placesAdministered(asker: Requester, list: AccessList): RulePlace[] {
  return list.places.flatMap(({ place }, index) => {
    const held = effectiveOn(asker, { ...list, places: list.places.slice(index) });
    const sees = place.kind === 'org' || hasCapability(held, 'doc.read');
    return sees && hasCapability(held, 'acl.admin') ? [place] : [];
  });
}

function isSame(one: RulePlace, other: RulePlace): boolean {
  if (one.kind === 'folder') return other.kind === 'folder' && one.folderId === other.folderId;
  return one.kind === other.kind;
}
