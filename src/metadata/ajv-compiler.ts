import { Ajv2020, type AnySchemaObject, type ErrorObject, type Options } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { limits } from '../core/limits.ts';
import { formatPointer } from './json-pointer.ts';
import type { JsonValue } from './json-value.ts';
import { boundFaults, type MetadataFault } from './metadata-fault.ts';
import { formats } from './schema-keywords.ts';

/** What does not fit, at most 100; none for valid data. */
export type CompiledSchema = (data: JsonValue) => readonly MetadataFault[];

/** Why strict mode does not take a schema. */
export class AjvSchemaFault extends Error {
  /** JSON Pointer into the schema, as far as it is known. */
  readonly path: string;

  constructor(path: string, message: string, cause?: unknown) {
    super(message.slice(0, limits.metadataFaultTextMax), { cause });
    this.path = path;
  }
}

/**
 * Compiles a schema that `checkSchema` has taken. For validation threads alone: what this takes of time and memory is up to
 * whoever wrote the schema.
 * @throws AjvSchemaFault; RangeError when the stack does not suffice.
 */
export function compileSchema(text: string): CompiledSchema {
  const { $id: _, $schema: __, ...schema } = JSON.parse(text) as AnySchemaObject;
  requireDialect(schema);
  const validate = compile(schema);
  return (data) => {
    if (validate(data)) return [];
    return boundFaults((validate.errors ?? []).slice(0, limits.metadataFaultsMax).map(faultOf));
  };
}

/** One for all, as it never compiles anything but the dialect. */
const dialect = new Ajv2020({ strict: true, allErrors: false, logger: false });

function requireDialect(schema: AnySchemaObject): void {
  if (dialect.validateSchema(schema) === true) return;
  const [error] = dialect.errors ?? [];
  throw new AjvSchemaFault(error?.instancePath ?? '', `The schema ${error?.message ?? 'does not fit its dialect'}.`);
}

/** An instance a schema: an instance keeps whatever it compiled, and one schema's names never meet another's. */
function compile(schema: AnySchemaObject) {
  const ajv = new Ajv2020(OPTIONS);
  addFormats.default(ajv, { mode: 'full', formats: [...formats], keywords: false });
  try {
    return ajv.compile(schema);
  } catch (cause) {
    if (cause instanceof RangeError) throw cause;
    throw new AjvSchemaFault(
      '',
      cause instanceof Error ? `Strict validation refuses it: ${cause.message}` : 'It cannot be compiled.',
      cause,
    );
  }
}

const OPTIONS: Options = {
  strict: true,
  // These two refuse what is usual and means what it says: a nullable text, and alternatives that require one member each.
  allowUnionTypes: true,
  strictRequired: false,
  strictTuples: false,
  allErrors: true,
  ownProperties: true,
  inlineRefs: false,
  // The dialect has been checked; its own compilation is shared.
  meta: false,
  validateSchema: false,
  logger: false,
};

function faultOf({ instancePath, keyword, params, message }: ErrorObject): MetadataFault {
  const name: unknown = MEMBER_OF[keyword] === undefined ? undefined : params[MEMBER_OF[keyword]];
  const path = typeof name === 'string' ? instancePath + formatPointer([name]) : instancePath;
  return { path, code: keyword, message: message ?? keyword };
}

/** The member such an error is about, which may not be there. */
const MEMBER_OF: Readonly<Record<string, string>> = {
  required: 'missingProperty',
  dependentRequired: 'missingProperty',
  additionalProperties: 'additionalProperty',
  unevaluatedProperties: 'unevaluatedProperty',
  propertyNames: 'propertyName',
};
