import { parseSchemaUrn } from '../metadata/schema-urn.ts';

/** @throws QuasarError `bad_parameter`. */
export function schemaPath(urn: string): string {
  return `/v1/schemas/${encodeURIComponent(parseSchemaUrn(urn, 'URN').urn)}`;
}
