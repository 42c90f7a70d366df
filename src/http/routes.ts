import { explanationRoutes } from './handlers/access.ts';
import { aclRoutes } from './handlers/acl.ts';
import { getAuditKey, getCheckpoint, getEvent, listEvents, proveConsistency, proveInclusion } from './handlers/audit.ts';
import { getBlob, getContent } from './handlers/content.ts';
import { explainDecision } from './handlers/decisions.ts';
import { deleteHold, disposeDocument, putHold, putRetention } from './handlers/disposal.ts';
import { getDocument, listDocuments, listVersions, postDocument, putDocumentContent } from './handlers/documents.ts';
import { exportAudit } from './handlers/export-audit.ts';
import { deleteFolder, getFolder, listFolders, postFolder, putDocumentFolder, putFolder } from './handlers/folders.ts';
import { deleteGroup, deleteMember, listGroups, listMembers, postGroup, putMember } from './handlers/groups.ts';
import { deleteKey, listKeys, postKey, revokeToken } from './handlers/keys.ts';
import { listLabelMoves, putLabel } from './handlers/labels.ts';
import { getMetadata, getNamespace, patchNamespace, postMetadata } from './handlers/metadata.ts';
import { migrateDocument, postMigration } from './handlers/migrations.ts';
import { deleteOrg, listOrgs, postOrg, putOrg } from './handlers/orgs.ts';
import { deletePrincipal, getMe, listPrincipals, postPrincipal, putPrincipal } from './handlers/principals.ts';
import { deleteRef, putRef } from './handlers/refs.ts';
import { getSchema, listSchemas, postSchema, putSchemaState } from './handlers/schemas.ts';
import type { Services } from './handlers/services.ts';
import { getHealth, getMetrics, getOpenapi, getReady } from './handlers/system.ts';
import { deleteUpload, finalizeUpload, getUpload, headUpload, putUploadBytes } from './handlers/uploads.ts';
import type { Route } from './router.ts';

/** Every route there is. The OpenAPI document lists the same ones, and a test says so. */
export const routes: readonly Route<Services>[] = [
  getHealth,
  getReady,
  getMetrics,
  getOpenapi,
  postDocument,
  listDocuments,
  getDocument,
  listVersions,
  getContent,
  putDocumentContent,
  disposeDocument,
  putRetention,
  putHold,
  deleteHold,
  putLabel,
  listLabelMoves,
  putRef,
  deleteRef,
  getMetadata,
  getNamespace,
  postMetadata,
  patchNamespace,
  postSchema,
  listSchemas,
  getSchema,
  putSchemaState,
  postMigration,
  migrateDocument,
  headUpload,
  getUpload,
  deleteUpload,
  putUploadBytes,
  finalizeUpload,
  getBlob,
  listOrgs,
  postOrg,
  putOrg,
  deleteOrg,
  listPrincipals,
  postPrincipal,
  getMe,
  putPrincipal,
  deletePrincipal,
  listGroups,
  postGroup,
  deleteGroup,
  listMembers,
  putMember,
  deleteMember,
  listFolders,
  postFolder,
  getFolder,
  putFolder,
  deleteFolder,
  putDocumentFolder,
  listKeys,
  postKey,
  deleteKey,
  revokeToken,
  ...aclRoutes,
  ...explanationRoutes,
  listEvents,
  getEvent,
  getCheckpoint,
  getAuditKey,
  proveInclusion,
  proveConsistency,
  explainDecision,
  exportAudit,
];
