import type { Clock } from './clock.ts';
import { QuasarError } from './errors.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Lower-case UUIDv7, made by us. */
export type OrgId = Branded<'OrgId'>;
export type PrincipalId = Branded<'PrincipalId'>;
export type DocumentId = Branded<'DocumentId'>;
export type VersionId = Branded<'VersionId'>;
export type UploadId = Branded<'UploadId'>;
/** Of one namespace's entry in a document's metadata. */
export type MetadataId = Branded<'MetadataId'>;
export type NodeId = Branded<'NodeId'>;
export type AuditEventId = Branded<'AuditEventId'>;
export type GroupId = Branded<'GroupId'>;
export type FolderId = Branded<'FolderId'>;
/** Of an access rule. */
export type RuleId = Branded<'RuleId'>;
/** Of an API key. */
export type KeyId = Branded<'KeyId'>;

/** On whose behalf something happens. Every row carries both. */
export interface Scope {
  readonly orgId: OrgId;
  readonly principalId: PrincipalId;
}

/** Milliseconds in the first 48 bits, the rest random (RFC 9562 section 5.7). */
export function newId<Id extends Branded<string>>(clock: Clock): Id {
  const random = clock.random(16);
  const bytes = Buffer.from(random.buffer, random.byteOffset, 16);
  bytes.writeUIntBE(clock.now(), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as Id;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** @throws QuasarError `bad_parameter` that names the parameter. */
export function parseId<Id extends Branded<string>>(text: string, parameter: string): Id {
  if (!UUID.test(text)) {
    throw new QuasarError('bad_parameter', {
      op: 'core.parseId',
      message: `${parameter} must be a lower-case UUID.`,
      details: { parameter },
    });
  }
  return text as Id;
}

export function isId(text: string): boolean {
  return UUID.test(text);
}
