import { roles } from '../../access/role.ts';
import { capabilities } from '../../core/capability.ts';
import { limits } from '../../core/limits.ts';
import { shapes } from './parts.ts';
import { object, orNull, page, ref } from './schema-parts.ts';

const { uuid } = shapes;
const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };
const name = { ...text, minLength: 1, maxLength: 200 };
const kind = { type: 'string', enum: ['user', 'service'] };
const memberKind = { type: 'string', enum: ['principal', 'group'] };
const effect = { type: 'string', enum: ['allow', 'deny'] };
const capability = { type: 'string', enum: [...capabilities] };
const roleList = { type: 'array', items: { type: 'string', enum: [...roles] } };
const flag = { type: 'boolean' };
const ORG = '019aa5c0-6d00-7a3b-8c1d-2e4f5a6b7c8d';
const PRINCIPAL = '019aa5c0-6e00-7a3b-8c1d-2e4f5a6b7c8d';
const GROUP = '019aa5c0-6e01-7a3b-8c1d-2e4f5a6b7c8d';
const FOLDER = '019aa5c0-6e02-7a3b-8c1d-2e4f5a6b7c8d';
const KEY = '019aa5c0-6e03-7a3b-8c1d-2e4f5a6b7c8d';
const RULE = '019aa5c0-6e04-7a3b-8c1d-2e4f5a6b7c8d';
const DOCUMENT = '019aa5c0-6f00-7a3b-8c1d-2e4f5a6b7c8d';
const AT = '2026-11-21T09:00:00.000Z';
const KEY_TEXT = `quasar_${'0'.repeat(26)}_${'0'.repeat(39)}`;

const principal = {
  principalId: uuid,
  kind,
  name,
  subject: orNull(text),
  roles: roleList,
  createdAt: time,
  suspendedAt: orNull(time),
};

const principalExample = {
  principalId: PRINCIPAL,
  kind: 'user',
  name: 'clerk-4',
  subject: 'clerk-4@court.example',
  roles: ['clerk'],
  createdAt: AT,
  suspendedAt: null,
};

const key = {
  keyId: uuid,
  principalId: uuid,
  name,
  scope: { type: 'array', items: capability },
  createdAt: time,
  expiresAt: orNull(time),
  revokedAt: orNull(time),
  lastUsedAt: { ...orNull(time), description: 'To the minute.' },
};

const keyExample = {
  keyId: KEY,
  principalId: PRINCIPAL,
  name: 'scanner in room 12',
  scope: ['doc.read', 'doc.write'],
  createdAt: AT,
  expiresAt: '2027-11-21T09:00:00.000Z',
  revokedAt: null,
  lastUsedAt: null,
};

const rule = {
  id: uuid,
  effect,
  actions: { type: 'array', items: capability },
  principals: { type: 'array', items: uuid, description: 'Users, service accounts and groups.' },
};

const ruleExample = { id: RULE, effect: 'deny', actions: ['doc.read'], principals: [GROUP] };
const rules = { version: { type: 'integer', minimum: 0 }, rules: { type: 'array', items: ref('AccessRule') } };
const rulesExample = { version: 1, rules: [ruleExample] };

const explanationExample = {
  principalId: PRINCIPAL,
  action: 'doc.read',
  credential: { kind: 'api_key', id: KEY },
  allowed: false,
  hidden: true,
  reason: 'rule_denies',
  decidedBy: RULE,
  considered: [{ rule: ruleExample, place: { kind: 'document', folderId: null }, outcome: 'decides', matched: [GROUP] }],
  lines: [`May principal ${PRINCIPAL} doc.read?`, `Rule ${RULE} at the document denies doc.read to ${GROUP}: it decides.`],
};

/** A body: a field that is not listed is refused. */
function body(properties: Readonly<Record<string, object>>, required: readonly string[], example: object) {
  return { type: 'object', properties, required, additionalProperties: false, examples: [example] };
}

export const accessSchemas = {
  Org: object(
    { orgId: uuid, name, createdAt: time, suspendedAt: orNull(time) },
    { orgId: ORG, name: 'district-court', createdAt: AT, suspendedAt: null },
  ),
  OrgPage: page('Org'),
  NewOrg: body({ name }, ['name'], { name: 'district-court' }),
  ChangeOrg: body({ suspended: flag }, ['suspended'], { suspended: false }),
  OrgCreated: object(
    { orgId: uuid, name, principalId: uuid, keyId: uuid, key: { ...text, description: 'Shown here and never again.' } },
    { orgId: ORG, name: 'district-court', principalId: PRINCIPAL, keyId: KEY, key: KEY_TEXT },
  ),
  Principal: object(principal, principalExample),
  PrincipalPage: page('Principal'),
  NewPrincipal: body(
    { kind, name, subject: { ...orNull(text), maxLength: limits.tokenNameMax }, roles: roleList },
    ['kind', 'name'],
    { kind: 'user', name: 'clerk-4', subject: 'clerk-4@court.example', roles: ['clerk'] },
  ),
  ChangePrincipal: body({ roles: roleList, suspended: flag }, [], { roles: ['reader'], suspended: false }),
  Me: object(
    {
      ...principal,
      orgId: uuid,
      groups: { type: 'array', items: uuid, description: 'Those of groups within groups too.' },
      capabilities: { type: 'array', items: capability, description: 'In the whole org, with these credentials.' },
    },
    { ...principalExample, orgId: ORG, groups: [GROUP], capabilities: ['doc.read', 'doc.write'] },
  ),
  Group: object({ groupId: uuid, name, createdAt: time }, { groupId: GROUP, name: 'chamber-4', createdAt: AT }),
  GroupPage: page('Group'),
  NewGroup: body({ name }, ['name'], { name: 'chamber-4' }),
  Member: object({ kind: memberKind, id: uuid }, { kind: 'principal', id: PRINCIPAL }),
  MemberPage: page('Member'),
  AddMember: body({ kind: { ...memberKind, default: 'principal' } }, [], { kind: 'group' }),
  MemberAdded: object(
    { groupId: uuid, kind: memberKind, id: uuid, added: { ...flag, description: 'False: it was one already.' } },
    { groupId: GROUP, kind: 'principal', id: PRINCIPAL, added: true },
  ),
  Folder: object(
    { folderId: uuid, parentId: orNull(uuid), name, caseNumber: orNull(text), createdAt: time },
    { folderId: FOLDER, parentId: null, name: '4 K 12/26', caseNumber: '4 K 12/26', createdAt: AT },
  ),
  FolderPage: page('Folder'),
  NewFolder: body({ name, parentId: orNull(uuid), caseNumber: { ...orNull(text), maxLength: 200 } }, ['name'], {
    name: '4 K 12/26',
    caseNumber: '4 K 12/26',
  }),
  MoveFolder: body({ parentId: orNull(uuid) }, ['parentId'], { parentId: FOLDER }),
  PlaceDocument: body({ folderId: orNull(uuid) }, ['folderId'], { folderId: FOLDER }),
  DocumentPlaced: object(
    { documentId: uuid, folderId: orNull(uuid), moved: { ...flag, description: 'False: it was there already.' } },
    { documentId: DOCUMENT, folderId: FOLDER, moved: true },
  ),
  Key: object(key, keyExample),
  KeyPage: page('Key'),
  NewKey: body(
    {
      principalId: { ...orNull(uuid), description: 'Who acts when it is used; whoever asks when absent.' },
      name,
      scope: { type: 'array', items: capability, minItems: 1, description: 'All that whoever asks may do when absent.' },
      expiresAt: orNull(time),
    },
    ['name'],
    { principalId: PRINCIPAL, name: 'scanner in room 12', scope: ['doc.read', 'doc.write'] },
  ),
  KeyCreated: object({ ...key, key: { ...text, description: 'Shown here and never again.' } }, { ...keyExample, key: KEY_TEXT }),
  RevokeToken: body({ jti: { ...text, maxLength: limits.tokenNameMax }, expiresAt: time }, ['jti', 'expiresAt'], {
    jti: 'f0d5b1c2',
    expiresAt: '2026-11-21T10:00:00.000Z',
  }),
  AccessRule: object(rule, ruleExample),
  AccessRules: object(rules, rulesExample),
  NewAccessRules: body(
    {
      rules: {
        type: 'array',
        maxItems: limits.accessRulesMax,
        items: {
          type: 'object',
          properties: { ...rule, id: { ...uuid, description: 'Of a rule that stays; a new one gets its own.' } },
          required: ['effect', 'actions', 'principals'],
          additionalProperties: false,
        },
      },
    },
    ['rules'],
    { rules: [{ effect: 'deny', actions: ['doc.read'], principals: [GROUP] }] },
  ),
  RuleChange: object({ ...rules, changedBy: uuid, changedAt: time }, { ...rulesExample, changedBy: PRINCIPAL, changedAt: AT }),
  RuleChangePage: page('RuleChange'),
  Explanation: object(
    {
      principalId: uuid,
      action: capability,
      credential: {
        ...orNull(object({ kind: { type: 'string', enum: ['api_key', 'token', 'scope'] }, id: orNull(text) })),
        description: 'With what; null: about the principal without a credential, whose scope could take more away.',
      },
      allowed: flag,
      hidden: { ...flag, description: 'Answered as if there were no such thing.' },
      reason: {
        type: 'string',
        enum: [
          'other_org',
          'suspended',
          'rule_denies',
          'role_allows',
          'rule_allows',
          'outside_scope',
          'nothing_allows',
          'credential_refused',
          'decided_outside',
        ],
      },
      decidedBy: { ...text, description: 'Id of a rule, or org, principal, role, scope, credential, default, outside.' },
      considered: {
        type: 'array',
        items: object({
          rule: ref('AccessRule'),
          place: object({ kind: { type: 'string', enum: ['document', 'folder', 'org'] }, folderId: orNull(uuid) }),
          outcome: { type: 'string', enum: ['decides', 'applies', 'other_action', 'other_principal'] },
          matched: { type: 'array', items: uuid, description: 'The principal or its groups that the rule names.' },
        }),
      },
      lines: { type: 'array', items: text, description: 'The same in words.' },
    },
    explanationExample,
  ),
};
