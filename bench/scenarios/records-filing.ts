import type { HttpAsker } from '../harness/http-asker.ts';

/** The metadata that documents of these scenarios have: what a clerk knows about a filing. */

export const NAMESPACE = 'urn:quasar:ns:filing';
const SCHEMA = 'urn:quasar:schema:filing@1.0.0';

export interface Filing {
  readonly title: string;
  readonly caseNumber: string;
  readonly court: string;
  readonly filedOn: string;
  readonly pages: number;
  readonly parties: readonly { readonly name: string; readonly part: string }[];
}

const filing: Filing = {
  title: 'Statement of claim',
  caseNumber: '3 O 412/26',
  court: 'Regional court, third chamber',
  filedOn: '2026-11-02',
  pages: 14,
  parties: [
    { name: 'First party', part: 'claimant' },
    { name: 'Second party', part: 'defendant' },
  ],
};

/** As `initialMetadata` has it. */
export const bundle = { [NAMESPACE]: { schema: { $id: SCHEMA }, data: filing } };

/** The same for an upload in one request. */
export const metadataHeader = { 'Quasar-Metadata': Buffer.from(JSON.stringify(bundle)).toString('base64') };

/** To be done once in every new store. */
export async function registerSchema(asker: HttpAsker): Promise<void> {
  const json = { schemaUrn: SCHEMA, namespaceUrn: NAMESPACE, lifecycle: 'active', schema };
  await asker.expect(201, { method: 'POST', path: '/v1/schemas', json });
}

export function metadataPath(documentId: string): string {
  return `/v1/documents/${documentId}/metadata/${encodeURIComponent(NAMESPACE)}`;
}

const text = { type: 'string', minLength: 1, maxLength: 200 };
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['title', 'caseNumber'],
  additionalProperties: false,
  properties: {
    title: text,
    caseNumber: text,
    court: text,
    filedOn: { type: 'string', format: 'date' },
    pages: { type: 'integer', minimum: 0 },
    parties: {
      type: 'array',
      maxItems: 100,
      items: {
        type: 'object',
        required: ['name', 'part'],
        properties: { name: text, part: { enum: ['claimant', 'defendant', 'third party'] } },
      },
    },
  },
};
