import fc from 'fast-check';
import { type AccessList, compileRules } from '../../../src/access/access-list.ts';
import type { Requester } from '../../../src/access/decide.ts';
import type { AccessRule, RulePlace, SubjectId } from '../../../src/access/rule.ts';
import { type Capability, type CapabilitySet, capabilities, capabilitySet } from '../../../src/core/capability.ts';
import type { DocumentId, FolderId, GroupId, OrgId, PrincipalId, RuleId } from '../../../src/core/ids.ts';

/** Who asks for what, with all rules as they hang; small enough that rules meet, and contradict each other, often. */
export interface Question {
  readonly requester: Requester;
  readonly resource: Resource;
  readonly action: Capability;
}

export interface Resource {
  readonly orgId: OrgId;
  readonly documentId: DocumentId;
  /** Of the document, of its folder and that one's parents outwards, of the org. */
  readonly places: readonly { readonly place: RulePlace; readonly rules: readonly AccessRule[] }[];
}

export function listOf({ orgId, documentId, places }: Resource, version = '1'): AccessList {
  const compiled = places.map(({ place, rules }) => {
    const placeId = place.kind === 'org' ? orgId : place.kind === 'folder' ? place.folderId : documentId;
    return compileRules({ place, placeId, version: 1 }, rules);
  });
  return { version, orgId, places: compiled };
}

/** Ids that are easy to read in a failure. `kind` is one hex digit, and tells users, groups and the rest apart. */
export function idOf<Id extends string>(kind: string, index: number): Id {
  return `${kind.repeat(8)}-0000-7000-8000-${String(index).padStart(12, '0')}` as Id;
}

export const orgs = [0, 1].map((index) => idOf<OrgId>('0', index));
export const users = [0, 1, 2].map((index) => idOf<PrincipalId>('1', index));
export const groups = [0, 1, 2, 3].map((index) => idOf<GroupId>('2', index));
export const folders = [0, 1, 2, 3].map((index) => idOf<FolderId>('3', index));

const often: readonly Capability[] = ['doc.read', 'doc.write', 'acl.admin'];
const action = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...often) },
  { weight: 1, arbitrary: fc.constantFrom(...capabilities) },
);
const actions = fc.oneof(
  fc.uniqueArray(action, { minLength: 1, maxLength: 5 }).map((names) => capabilitySet(...names)),
  fc.constant(capabilitySet(...capabilities)),
);
const perhapsNone = fc.oneof(fc.constant(0 as CapabilitySet), actions);

const rule: fc.Arbitrary<Omit<AccessRule, 'id'>> = fc.record({
  effect: fc.oneof(
    { weight: 2, arbitrary: fc.constant('allow' as const) },
    { weight: 1, arbitrary: fc.constant('deny' as const) },
  ),
  actions,
  principals: fc.uniqueArray(fc.constantFrom<SubjectId>(...users, ...groups), { minLength: 1, maxLength: 4 }),
});
const rules = fc.array(rule, { maxLength: 4 });

const resource: fc.Arbitrary<Resource> = fc
  .record({ orgId: orgMostly(), document: rules, folders: fc.array(rules, { maxLength: folders.length }), org: rules })
  .map(({ orgId, document, folders: chain, org }) => {
    let count = 0;
    const place = (where: RulePlace, list: readonly Omit<AccessRule, 'id'>[]) => ({
      place: where,
      rules: list.map((one) => ({ ...one, id: idOf<RuleId>('4', count++) })),
    });
    return {
      orgId,
      documentId: idOf<DocumentId>('5', 0),
      places: [
        place({ kind: 'document' }, document),
        ...chain.map((list, index) => place({ kind: 'folder', folderId: folders[index] as FolderId }, list)),
        place({ kind: 'org' }, org),
      ],
    };
  });

const requester: fc.Arbitrary<Requester> = fc.record({
  orgId: orgMostly(),
  principalId: fc.constantFrom(...users),
  groups: fc.subarray(groups).map((list) => new Set(list)),
  suspended: fc.oneof({ weight: 15, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  roleCapabilities: perhapsNone,
  tokenScope: fc.oneof(fc.constant(capabilitySet(...capabilities)), perhapsNone),
});

export const question: fc.Arbitrary<Question> = fc.record({ requester, resource, action });

function orgMostly(): fc.Arbitrary<OrgId> {
  const [own, other] = orgs as [OrgId, OrgId];
  return fc.oneof({ weight: 15, arbitrary: fc.constant(own) }, { weight: 1, arbitrary: fc.constant(other) });
}
