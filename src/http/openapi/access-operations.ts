import type { ErrorCode } from '../../core/errors.ts';
import type { Operation } from './operation.ts';
import type { ParameterName } from './parts.ts';

const bodies = ['bad_parameter', 'bad_body', 'body_too_large', 'unsupported_media_type', 'upload_stalled'] as const;
const tag = 'Access';

const orgOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/orgs',
    operationId: 'listOrgs',
    tag,
    summary: 'Organisations: all for those who operate the server, for others their own.',
    parameters: ['limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'OrgPage' } },
    problems: ['bad_parameter', 'database_unavailable'],
  },
  {
    method: 'post',
    path: '/v1/orgs',
    operationId: 'createOrg',
    tag,
    summary: 'Make an organisation with an administrator.',
    description: "Only from the operator's organisation. The administrator's key is in this answer and nowhere else.",
    body: { required: true, json: 'NewOrg' },
    answers: { 201: { description: 'Made.', json: 'OrgCreated' } },
    problems: [...bodies, 'name_taken', 'database_unavailable'],
  },
  {
    method: 'put',
    path: '/v1/orgs/{orgId}',
    operationId: 'changeOrg',
    tag,
    summary: 'Suspend an organisation, or let it in again.',
    parameters: ['orgId'],
    body: { required: true, json: 'ChangeOrg' },
    answers: { 204: { description: 'It is so.' } },
    problems: [...bodies, 'org_not_found', 'operator_org', 'database_unavailable'],
  },
  {
    method: 'delete',
    path: '/v1/orgs/{orgId}',
    operationId: 'suspendOrg',
    tag,
    summary: 'Suspend an organisation: nobody in it may do anything from then on. Everything is kept.',
    parameters: ['orgId'],
    answers: { 204: { description: 'Suspended.' } },
    problems: ['bad_parameter', 'org_not_found', 'operator_org', 'database_unavailable'],
  },
];

const principalOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/principals',
    operationId: 'listPrincipals',
    tag,
    summary: 'Users and service accounts, by id.',
    parameters: ['limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'PrincipalPage' } },
    problems: ['bad_parameter', 'database_unavailable'],
  },
  {
    method: 'post',
    path: '/v1/principals',
    operationId: 'createPrincipal',
    tag,
    summary: 'Make a user or a service account.',
    description: 'Nobody gives roles that hold more than he may do himself.',
    body: { required: true, json: 'NewPrincipal' },
    answers: { 201: { description: 'Made.', json: 'Principal' } },
    problems: [...bodies, 'name_taken', 'subject_taken', 'stands_above', 'database_unavailable'],
  },
  {
    method: 'get',
    path: '/v1/principals/me',
    operationId: 'getMe',
    tag,
    summary: 'Who asks, and what these credentials are good for.',
    answers: { 200: { description: 'The principal of the request.', json: 'Me' } },
    problems: ['principal_not_found', 'database_unavailable'],
  },
  {
    method: 'put',
    path: '/v1/principals/{principalId}',
    operationId: 'changePrincipal',
    tag,
    summary: 'Change roles, suspend, or let in again.',
    description: 'What is absent stays. Nobody changes himself, nor anybody whose roles hold more than he may do himself.',
    parameters: ['principalId'],
    body: { required: true, json: 'ChangePrincipal' },
    answers: { 200: { description: 'As it is now.', json: 'Principal' } },
    problems: [...bodies, 'principal_not_found', 'own_principal', 'last_administrator', 'stands_above', 'database_unavailable'],
  },
  {
    method: 'delete',
    path: '/v1/principals/{principalId}',
    operationId: 'suspendPrincipal',
    tag,
    summary: 'Suspend: it may do nothing from then on. None is ever forgotten.',
    parameters: ['principalId'],
    answers: { 204: { description: 'Suspended.' } },
    problems: [
      'bad_parameter',
      'principal_not_found',
      'own_principal',
      'last_administrator',
      'stands_above',
      'database_unavailable',
    ],
  },
];

const groupOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/groups',
    operationId: 'listGroups',
    tag,
    summary: 'Groups, by id.',
    parameters: ['limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'GroupPage' } },
    problems: ['bad_parameter', 'database_unavailable'],
  },
  {
    method: 'post',
    path: '/v1/groups',
    operationId: 'createGroup',
    tag,
    summary: 'Make a group.',
    body: { required: true, json: 'NewGroup' },
    answers: { 201: { description: 'Made.', json: 'Group' } },
    problems: [...bodies, 'name_taken', 'too_many_groups', 'database_unavailable'],
  },
  {
    method: 'delete',
    path: '/v1/groups/{groupId}',
    operationId: 'deleteGroup',
    tag,
    summary: 'Delete a group with its memberships.',
    description: 'Rules that name it are about nobody from then on, those that deny too.',
    parameters: ['groupId'],
    answers: { 204: { description: 'Deleted.' } },
    problems: ['bad_parameter', 'group_not_found', 'database_unavailable'],
  },
  {
    method: 'get',
    path: '/v1/groups/{groupId}/members',
    operationId: 'listMembers',
    tag,
    summary: 'Members of a group themselves, not theirs, by id.',
    parameters: ['groupId', 'limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'MemberPage' } },
    problems: ['bad_parameter', 'group_not_found', 'database_unavailable'],
  },
  {
    method: 'put',
    path: '/v1/groups/{groupId}/members/{memberId}',
    operationId: 'addMember',
    tag,
    summary: 'Add a principal, or all who belong to another group.',
    parameters: ['groupId', 'memberId'],
    body: { required: false, json: 'AddMember' },
    answers: { 200: { description: 'It is a member.', json: 'MemberAdded' } },
    problems: [
      ...bodies,
      'group_not_found',
      'principal_not_found',
      'nested_in_itself',
      'nested_too_deep',
      'last_administrator',
      'stands_above',
      'database_unavailable',
    ],
  },
  {
    method: 'delete',
    path: '/v1/groups/{groupId}/members/{memberId}',
    operationId: 'removeMember',
    tag,
    summary: 'Take a member out of a group.',
    parameters: ['groupId', 'memberId'],
    answers: { 204: { description: 'It is no member any more.' } },
    problems: ['bad_parameter', 'group_not_found', 'database_unavailable'],
  },
];

const folderOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/folders',
    operationId: 'listFolders',
    tag,
    summary: 'Folders right within another one, or the outermost: those that may be read, by id.',
    parameters: ['parent', 'limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'FolderPage' } },
    problems: ['bad_parameter', 'folder_not_found', 'database_unavailable'],
  },
  {
    method: 'post',
    path: '/v1/folders',
    operationId: 'createFolder',
    tag,
    summary: 'Make a folder.',
    body: { required: true, json: 'NewFolder' },
    answers: { 201: { description: 'Made.', headers: ['Location'], json: 'Folder' } },
    problems: [...bodies, 'folder_not_found', 'nested_too_deep', 'database_unavailable'],
  },
  {
    method: 'get',
    path: '/v1/folders/{folderId}',
    operationId: 'getFolder',
    tag,
    summary: 'A folder.',
    parameters: ['folderId'],
    answers: { 200: { description: 'The folder.', json: 'Folder' } },
    problems: ['bad_parameter', 'folder_not_found', 'database_unavailable'],
  },
  {
    method: 'put',
    path: '/v1/folders/{folderId}',
    operationId: 'moveFolder',
    tag,
    summary: 'Move a folder with all that is in it.',
    description: 'It takes who may change the rules of this folder, of the one it leaves and of the one it comes into.',
    parameters: ['folderId'],
    body: { required: true, json: 'MoveFolder' },
    answers: { 200: { description: 'As it is now.', json: 'Folder' } },
    problems: [...bodies, 'folder_not_found', 'nested_in_itself', 'nested_too_deep', 'database_unavailable'],
  },
  {
    method: 'delete',
    path: '/v1/folders/{folderId}',
    operationId: 'deleteFolder',
    tag,
    summary: 'Delete an empty folder.',
    parameters: ['folderId'],
    answers: { 204: { description: 'Deleted.' } },
    problems: ['bad_parameter', 'folder_not_found', 'folder_not_empty', 'database_unavailable'],
  },
  {
    method: 'put',
    path: '/v1/documents/{documentId}/folder',
    operationId: 'placeDocument',
    tag,
    summary: 'Put a document into a folder, or out of all.',
    description:
      'It takes who may change the rules of the document and of the folder it leaves, and may write in the one it comes into.',
    parameters: ['documentId'],
    body: { required: true, json: 'PlaceDocument' },
    answers: { 200: { description: 'It is there.', json: 'DocumentPlaced' } },
    problems: [...bodies, 'document_not_found', 'folder_not_found', 'database_unavailable'],
  },
];

const keyOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/keys',
    operationId: 'listKeys',
    tag,
    summary: 'API keys without their secrets, revoked ones too, by id.',
    parameters: ['ofPrincipal', 'limit', 'cursor'],
    answers: { 200: { description: 'A page.', json: 'KeyPage' } },
    problems: ['bad_parameter', 'database_unavailable'],
  },
  {
    method: 'post',
    path: '/v1/keys',
    operationId: 'createKey',
    tag,
    summary: 'Make an API key.',
    description:
      'The key is in this answer and nowhere else. Its scope never holds more than whoever makes it may do himself. One for ' +
      'another principal takes acl.admin too: it acts as that principal, also where rules refuse whoever made it.',
    body: { required: true, json: 'NewKey' },
    answers: { 201: { description: 'Made.', json: 'KeyCreated' } },
    problems: [...bodies, 'capability_unknown', 'subject_not_found', 'too_many_keys', 'stands_above', 'database_unavailable'],
  },
  {
    method: 'delete',
    path: '/v1/keys/{keyId}',
    operationId: 'revokeKey',
    tag,
    summary: 'Revoke an API key. It is refused within a second.',
    parameters: ['keyId'],
    answers: { 204: { description: 'Revoked.' } },
    problems: ['bad_parameter', 'key_not_found', 'database_unavailable'],
  },
  {
    method: 'post',
    path: '/v1/tokens/revoke',
    operationId: 'revokeToken',
    tag,
    summary: 'Revoke a JWT by its jti until it would have expired anyway.',
    description: 'For a day at least, whatever expiresAt says: by then any token that was issued before is too old.',
    body: { required: true, json: 'RevokeToken' },
    answers: { 204: { description: 'Revoked.' } },
    problems: [...bodies, 'database_unavailable'],
  },
];

interface Place {
  readonly path: string;
  readonly parameter: ParameterName;
  readonly what: string;
  readonly missing: ErrorCode;
}

const places: readonly Place[] = [
  { path: '/v1/documents/{documentId}', parameter: 'documentId', what: 'Document', missing: 'document_not_found' },
  { path: '/v1/folders/{folderId}', parameter: 'folderId', what: 'Folder', missing: 'folder_not_found' },
  { path: '/v1/orgs/{orgId}', parameter: 'orgId', what: 'Org', missing: 'org_not_found' },
];

/** The same below each of them. */
function ruleOperations({ path, parameter, what, missing }: Place): readonly Operation[] {
  const place = what.toLowerCase();
  return [
    {
      method: 'get',
      path: `${path}/acl`,
      operationId: `get${what}Rules`,
      tag,
      summary: `The access rules of this ${place} itself.`,
      parameters: [parameter, 'ifMatch', 'ifNoneMatch'],
      answers: {
        200: { description: 'The rules and their version.', headers: ['ETag', 'Cache-Control', 'Vary'], json: 'AccessRules' },
        304: { description: 'The client has them.', headers: ['ETag', 'Cache-Control', 'Vary'] },
      },
      problems: ['bad_parameter', missing, 'precondition_failed', 'database_unavailable'],
    },
    {
      method: 'put',
      path: `${path}/acl`,
      operationId: `put${what}Rules`,
      tag,
      summary: `Replace the access rules of this ${place}.`,
      description:
        'The whole list, over the version that If-Match names and no other. What a rule denies, nothing allows. Nobody allows ' +
        'to anybody what he may not do here himself: `details.missing` of a 403 names it. Nobody denies anything to who stands above ' +
        'him, nor doc.read or acl.admin in a folder or a document to an administrator (`stands_above`).',
      parameters: [parameter, 'ifRulesMatch'],
      body: { required: true, json: 'NewAccessRules' },
      answers: { 200: { description: 'The rules as they hold now.', headers: ['ETag'], json: 'AccessRules' } },
      problems: [
        ...bodies,
        missing,
        'precondition_required',
        'rules_changed',
        'access_rules_invalid',
        'capability_unknown',
        'subject_not_found',
        'stands_above',
        ...(missing === 'org_not_found' ? (['last_administrator'] as const) : []),
        'database_unavailable',
      ],
    },
    {
      method: 'get',
      path: `${path}/acl/changes`,
      operationId: `list${what}RuleChanges`,
      tag,
      summary: `All access rules that ever held for this ${place}, latest first.`,
      parameters: [parameter, 'limit', 'cursor'],
      answers: { 200: { description: 'A page.', json: 'RuleChangePage' } },
      problems: ['bad_parameter', missing, 'database_unavailable'],
    },
    {
      method: 'get',
      path: `${path}/access`,
      operationId: `explain${what}Access`,
      tag,
      summary: `Why a principal may, or may not, do something to this ${place}.`,
      parameters: [parameter, 'explainedPrincipal', 'explainedKey', 'explainedScope', 'action'],
      answers: { 200: { description: 'The decision and every rule that was considered.', json: 'Explanation' } },
      problems: ['bad_parameter', missing, 'principal_not_found', 'key_not_found', 'capability_unknown', 'database_unavailable'],
    },
  ];
}

export const accessOperations: readonly Operation[] = [
  ...orgOperations,
  ...principalOperations,
  ...groupOperations,
  ...folderOperations,
  ...keyOperations,
  ...places.flatMap(ruleOperations),
];
