import type { Test } from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import type { Scope } from '../../src/core/ids.ts';
import type { JsonValue } from '../../src/metadata/json-value.ts';
import type { MetadataFault } from '../../src/metadata/metadata-fault.ts';
import type { CheckedSchema } from '../../src/metadata/schema-check.ts';
import { SchemaValidator, type SchemaValidatorOptions } from '../../src/metadata/schema-validator.ts';
import { testScope } from './open-uploads.ts';

/** A validator on real threads for one caller; the parallel ones of others share its threads through `of`. */
export interface OpenValidator {
  compile(schema: CheckedSchema): Promise<void>;
  validate(schema: CheckedSchema, data: JsonValue): Promise<readonly MetadataFault[]>;
  of(asker: Scope): OpenValidator;
  close(): Promise<void>;
}

export async function openValidator(
  t: Pick<Test, 'teardown'>,
  options: Partial<SchemaValidatorOptions> = {},
): Promise<OpenValidator> {
  const validator = await SchemaValidator.open({ clock: systemClock, ...options });
  t.teardown(() => validator.close());
  return validatorOf(validator, testScope);
}

function validatorOf(validator: SchemaValidator, asker: Scope): OpenValidator {
  return {
    compile: (schema) => validator.compile(schema, asker),
    validate: (schema, data) => validator.validate(schema, data, asker),
    of: (other) => validatorOf(validator, other),
    close: () => validator.close(),
  };
}
