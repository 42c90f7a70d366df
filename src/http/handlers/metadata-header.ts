import { parseBundle, type SubmittedBundle } from '../../metadata/envelope.ts';
import type { Exchange } from '../edge.ts';
import { parseJson } from '../json-body.ts';
import { badField } from './body-fields.ts';

/**
 * The canonical metadata of a version that comes in one request: `Quasar-Metadata`, Base64 of what a JSON body has as
 * `initialMetadata`. Undefined: it was not sent.
 * @throws QuasarError `bad_parameter`, `bad_body`.
 */
export function metadataOf(exchange: Exchange): SubmittedBundle | undefined {
  const text = exchange.header('quasar-metadata');
  if (text === undefined) return undefined;
  if (!BASE64.test(text)) throw badField('Quasar-Metadata', 'must be Base64 of a JSON object');
  return parseBundle({ mode: 'canonical', bundle: parseJson(Buffer.from(text, 'base64')), provenance: undefined });
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
