import type { SchemaFacts } from '../../catalog/schema-store.ts';
import { toTimestamp } from '../../core/clock.ts';
import { parseIri } from '../../metadata/iri.ts';
import { parseSchemaUrn } from '../../metadata/schema-urn.ts';
import { changeSchemaState, findSchema, registerSchema } from '../../records/register-schema.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson } from '../reply.ts';
import { member, onOrg } from '../route-access.ts';
import { type Params, route } from '../router.ts';
import { parseSchemaBody, parseStateBody } from './metadata-bodies.ts';
import { pageOf } from './request-bodies.ts';
import type { Services } from './services.ts';

export const postSchema = route(
  'POST',
  '/v1/schemas',
  onOrg('schema.admin'),
  async (exchange, _params, services: Services, caller) => {
    const wish = parseSchemaBody(await readJsonBody(exchange, { optional: false }));
    const { schema, added } = await registerSchema(caller, wish, services.records);
    replyJson(exchange, added ? 201 : 200, schemaView(schema), ['Location', `/v1/schemas/${encodeURIComponent(schema.urn)}`]);
  },
);

export const listSchemas = route('GET', '/v1/schemas', member, async (exchange, _params, services: Services, caller) => {
  const named = new URLSearchParams(exchange.query).get('namespace');
  const namespace = named === null ? undefined : parseIri(named, 'namespace');
  const purpose = `schemas:${caller.orgId}:${namespace ?? ''}`;
  const { limit, after } = pageOf(exchange, services.cursors, purpose);
  const page = await services.records.schemas.listSchemas(caller, { namespace, limit, after });
  replyJson(exchange, 200, {
    items: page.items.map(schemaView),
    nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
  });
});

export const getSchema = route('GET', '/v1/schemas/{urn}', member, async (exchange, params, services: Services, caller) => {
  const schema = await findSchema(caller, urnOf(params), services.records);
  replyJson(exchange, 200, { ...schemaView(schema), schema: JSON.parse(schema.body) as unknown });
});

export const putSchemaState = route(
  'PUT',
  '/v1/schemas/{urn}/lifecycle',
  onOrg('schema.admin'),
  async (exchange, params, services: Services, caller) => {
    const urn = urnOf(params);
    const to = parseStateBody(await readJsonBody(exchange, { optional: false }));
    replyJson(exchange, 200, schemaView(await changeSchemaState(caller, { urn, to }, services.records)));
  },
);

function urnOf(params: Params): string {
  return parseSchemaUrn(params.urn as string, 'urn').urn;
}

function schemaView(schema: SchemaFacts): Record<string, unknown> {
  return {
    schemaUrn: schema.urn,
    namespaceUrn: schema.namespace,
    lifecycle: schema.state,
    canonicalHash: `sha256:${schema.digest}`,
    createdAt: toTimestamp(schema.createdAtMs),
    updatedAt: toTimestamp(schema.changedAtMs),
  };
}
