import type { GroupMember } from '../../access/group-store.ts';
import type { PrincipalKind } from '../../access/principal-store.ts';
import { type Role, roles as roleNames } from '../../access/role.ts';
import { type CapabilitySet, capabilitySet, parseCapability } from '../../core/capability.ts';
import { type FolderId, type PrincipalId, parseId } from '../../core/ids.ts';
import { limits } from '../../core/limits.ts';
import type { JsonValue } from '../../metadata/json-value.ts';
import { badField, type Fields, fieldsOf, optionalString, parseTimestamp, requiredString } from './body-fields.ts';

/** The JSON bodies of whatever administers who may, checked field by field. */
export function parseOrgBody(body: JsonValue | undefined): { name: string } {
  return { name: requiredName(fieldsOf(body, ['name'])) };
}

export function parseOrgChange(body: JsonValue | undefined): { suspended: boolean } {
  const { suspended } = fieldsOf(body, ['suspended']);
  if (typeof suspended !== 'boolean') throw badField('suspended', 'must be true or false');
  return { suspended };
}

export interface PrincipalBody {
  readonly kind: PrincipalKind;
  readonly name: string;
  readonly subject: string | undefined;
  readonly roles: readonly Role[];
}

export function parsePrincipalBody(body: JsonValue | undefined): PrincipalBody {
  const fields = fieldsOf(body, ['kind', 'name', 'subject', 'roles']);
  const { kind } = fields;
  if (kind !== 'user' && kind !== 'service') throw badField('kind', 'must be user or service');
  return {
    kind,
    name: requiredName(fields),
    subject: optionalLine(fields, 'subject', limits.tokenNameMax),
    roles: parseRoles(fields.roles ?? []),
  };
}

export interface PrincipalChange {
  readonly roles: readonly Role[] | undefined;
  readonly suspended: boolean | undefined;
}

export function parsePrincipalChange(body: JsonValue | undefined): PrincipalChange {
  const { roles, suspended } = fieldsOf(body, ['roles', 'suspended']);
  if (roles === undefined && suspended === undefined) throw badField('roles', 'or suspended must be there');
  if (suspended !== undefined && typeof suspended !== 'boolean') throw badField('suspended', 'must be true or false');
  return { roles: roles === undefined ? undefined : parseRoles(roles), suspended };
}

export function parseGroupBody(body: JsonValue | undefined): { name: string } {
  return { name: requiredName(fieldsOf(body, ['name'])) };
}

export function parseMemberBody(body: JsonValue | undefined): GroupMember['kind'] {
  const kind = optionalString(fieldsOf(body, ['kind']), 'kind') ?? 'principal';
  if (kind !== 'principal' && kind !== 'group') throw badField('kind', 'must be principal or group');
  return kind;
}

export interface FolderBody {
  readonly name: string;
  readonly parentId: FolderId | undefined;
  readonly caseNumber: string | undefined;
}

export function parseFolderBody(body: JsonValue | undefined): FolderBody {
  const fields = fieldsOf(body, ['name', 'parentId', 'caseNumber']);
  const parentId = optionalString(fields, 'parentId');
  return {
    name: requiredName(fields),
    parentId: parentId === undefined ? undefined : parseId<FolderId>(parentId, 'parentId'),
    caseNumber: optionalLine(fields, 'caseNumber', NAME_MAX),
  };
}

/** A folder, or null for none, which must be said. */
export function parseFolderChoice(body: JsonValue | undefined, name: 'parentId' | 'folderId'): FolderId | undefined {
  const fields = fieldsOf(body, [name]);
  if (fields[name] === undefined) throw badField(name, 'must be a folder, or null for none');
  const id = optionalString(fields, name);
  return id === undefined ? undefined : parseId<FolderId>(id, name);
}

export interface KeyBody {
  /** Undefined: whoever asks. */
  readonly principalId: PrincipalId | undefined;
  readonly name: string;
  /** Undefined: all that whoever asks may do. */
  readonly scope: CapabilitySet | undefined;
  readonly expiresAtMs: number | undefined;
}

export function parseKeyBody(body: JsonValue | undefined, nowMs: number): KeyBody {
  const fields = fieldsOf(body, ['principalId', 'name', 'scope', 'expiresAt']);
  const principalId = optionalString(fields, 'principalId');
  const expiresAt = optionalString(fields, 'expiresAt');
  const expiresAtMs = expiresAt === undefined ? undefined : parseTimestamp(expiresAt, 'expiresAt');
  if (expiresAtMs !== undefined && expiresAtMs <= nowMs) throw badField('expiresAt', 'must lie ahead');
  return {
    principalId: principalId === undefined ? undefined : parseId<PrincipalId>(principalId, 'principalId'),
    name: requiredName(fields),
    scope: fields.scope === undefined || fields.scope === null ? undefined : parseScope(fields.scope),
    expiresAtMs,
  };
}

export function parseTokenBody(body: JsonValue | undefined): { jti: string; expiresAtMs: number } {
  const fields = fieldsOf(body, ['jti', 'expiresAt']);
  const jti = optionalLine(fields, 'jti', limits.tokenNameMax);
  if (jti === undefined) throw badField('jti', 'is missing');
  return { jti, expiresAtMs: parseTimestamp(requiredString(fields, 'expiresAt'), 'expiresAt') };
}

/** The list itself is for `parseRules`. */
export function parseRulesBody(body: JsonValue | undefined): unknown {
  const { rules } = fieldsOf(body, ['rules']);
  if (rules === undefined) throw badField('rules', 'is missing; an empty list removes all rules');
  return rules;
}

function parseRoles(value: unknown): readonly Role[] {
  const known: readonly unknown[] = roleNames;
  if (!Array.isArray(value) || value.length > roleNames.length || !value.every((name) => known.includes(name))) {
    throw badField('roles', `must be a list of ${roleNames.join(', ')}`);
  }
  return [...new Set(value as Role[])];
}

function parseScope(value: unknown): CapabilitySet {
  if (!Array.isArray(value) || value.length === 0 || value.length > limits.ruleActionsMax) {
    throw badField('scope', `must be a list of 1 to ${limits.ruleActionsMax} capabilities`);
  }
  const names = value.map((name) => {
    if (typeof name !== 'string') throw badField('scope', 'must name capabilities');
    return parseCapability(name);
  });
  return capabilitySet(...names);
}

function requiredName(fields: Fields): string {
  const name = optionalLine(fields, 'name', NAME_MAX);
  if (name === undefined) throw badField('name', 'is missing');
  return name;
}

/** A line for people, in one form only: two that look the same are the same. */
function optionalLine(fields: Fields, name: string, charactersMax: number): string | undefined {
  const text = optionalString(fields, name);
  if (text === undefined) return undefined;
  if (!LINE.test(text) || text.normalize('NFC') !== text || [...text.slice(0, 2 * charactersMax + 1)].length > charactersMax) {
    throw badField(name, `must be 1 to ${charactersMax} characters in form NFC, without controls or spaces around them`);
  }
  return text;
}

/** As the tables have it, in characters. */
const NAME_MAX = 200;
/** No controls, line ends or characters that turn the direction of what follows. */
const LINE = /^(?=\S)[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+(?<=\S)$/u;
