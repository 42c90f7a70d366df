import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import { limits } from '../core/limits.ts';
import { type Iri, readIri } from './iri.ts';
import { requireWithinBounds } from './json-measure.ts';
import { isJsonObject, type JsonObject, type JsonValue, member } from './json-value.ts';
import { schemaInvalid } from './schema-fault.ts';
import { formats } from './schema-keywords.ts';
import { checkReferences } from './schema-references.ts';
import { metadataBounds } from './strict-json.ts';
import { collectSubschemas, type Subschema } from './subschemas.ts';

/** A schema that may be compiled. */
export interface CheckedSchema {
  /** Canonical JSON (RFC 8785). */
  readonly text: string;
  /** `sha256:` and the hexadecimal digest of the text in UTF-8: two schemas are the same when this is the same. */
  readonly hash: string;
}

/**
 * Takes a JSON Schema 2020-12 that is closed (refers to nothing outside itself), has only keywords and formats that are
 * checked, and whose recursion ends with the data. Whether it also passes the strict mode of the validator is found by
 * `SchemaValidator.compile`.
 *
 * Patterns are bounded in number and length and must be regular expressions with the u flag. They are not judged by their
 * form: rules of thumb refuse harmless ones such as `^(\w+-)*\w+$` and let others pass. The time limit of the thread that
 * runs them holds for every pattern.
 * @throws QuasarError `schema_invalid` with the place in `details.path`; `metadata_too_large`.
 */
export function checkSchema(schema: JsonValue, urn: Iri): CheckedSchema {
  if (!isJsonObject(schema)) throw schemaInvalid([], 'A schema of metadata is an object.');
  requireWithinBounds(schema, 'metadata.checkSchema', { ...metadataBounds, size: limits.schemaSizeMax });
  checkRoot(schema, urn);
  const schemas = collectSubschemas(schema);
  checkReferences(schemas);
  checkPatterns(schemas);
  for (const { path, object } of schemas.values()) checkFormat(object, path);
  const text = canonicalJson(schema);
  return { text, hash: `sha256:${createHash('sha256').update(text).digest('hex')}` };
}

function checkRoot(schema: JsonObject, urn: Iri): void {
  const { $schema: dialect, $id: id } = schema;
  if (dialect !== undefined && dialect !== DIALECT && dialect !== `${DIALECT}#`) {
    throw schemaInvalid(['$schema'], `The one dialect is ${DIALECT}.`);
  }
  if (id !== undefined && (typeof id !== 'string' || readIri(id) !== urn)) {
    throw schemaInvalid(['$id'], 'The $id is not the URN under which the schema is registered.');
  }
}

function checkPatterns(schemas: ReadonlyMap<string, Subschema>): void {
  let count = 0;
  for (const { path, object } of schemas.values()) {
    for (const { pattern, place } of patternsOf(object, path)) {
      count += 1;
      if (count > limits.schemaPatternsMax)
        throw schemaInvalid(place, `There are more than ${limits.schemaPatternsMax} patterns.`);
      checkPattern(pattern, place);
    }
  }
}

function patternsOf(object: JsonObject, path: readonly string[]): { pattern: JsonValue; place: readonly string[] }[] {
  const { pattern, patternProperties } = object;
  const names = isJsonObject(patternProperties) ? Object.keys(patternProperties) : [];
  return [
    ...(pattern === undefined ? [] : [{ pattern, place: [...path, 'pattern'] }]),
    ...names.map((name) => ({ pattern: name, place: [...path, 'patternProperties', name] })),
  ];
}

function checkPattern(pattern: JsonValue, place: readonly string[]): void {
  if (typeof pattern !== 'string' || pattern.length > limits.schemaPatternMax) {
    throw schemaInvalid(place, `A pattern is a text of at most ${limits.schemaPatternMax} characters.`);
  }
  try {
    new RegExp(pattern, 'u');
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw schemaInvalid(place, 'The pattern is no regular expression of ECMAScript with the u flag.');
  }
}

function checkFormat(object: JsonObject, path: readonly string[]): void {
  if (!Object.hasOwn(object, 'format')) return;
  const format = member(object, 'format');
  if (!formats.some((one) => one === format)) throw schemaInvalid([...path, 'format'], `The formats are ${formats.join(', ')}.`);
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
