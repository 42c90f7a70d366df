import { migrateMetadata, registerMigration } from '../../records/migrate-metadata.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { onDocument, onOrg } from '../route-access.ts';
import { route } from '../router.ts';
import { documentIdOf } from './documents.ts';
import { parseMigrateBody, parseMigrationBody } from './metadata-bodies.ts';
import type { Services } from './services.ts';

export const postMigration = route(
  'POST',
  '/v1/migrations',
  onOrg('schema.admin'),
  async (exchange, _params, services: Services, caller) => {
    const wish = parseMigrationBody(await readJsonBody(exchange, { optional: false }));
    const { added } = await registerMigration(caller, wish, services.records);
    replyJson(exchange, added ? 201 : 200, { fromSchemaUrn: wish.from.urn, toSchemaUrn: wish.to.urn });
  },
);

export const migrateDocument = route(
  'POST',
  '/v1/documents/{documentId}/migrate',
  onDocument('doc.write'),
  async (exchange, params, services: Services, caller) => {
    const documentId = documentIdOf(params);
    const { namespace, to, reason } = parseMigrateBody(await readJsonBody(exchange, { optional: false }));
    const written = await migrateMetadata(caller, { documentId, namespace, to, reason }, services.records);
    const made = written && { versionId: written.versionId, metadataId: written.entries[0]?.metadataId };
    replyJson(exchange, 200, { documentId, namespace, schemaUrn: to.urn, migrated: made !== undefined, ...made });
  },
);
