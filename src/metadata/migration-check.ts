import { canonicalJson } from '../core/canonical-json.ts';
import { type ErrorCode, isQuasarError, QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { differencesOf } from './json-difference.ts';
import { applyPatch } from './json-patch.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import { boundFaults, type MetadataFault } from './metadata-fault.ts';
import type { JsonPatch } from './patch-operation.ts';
import type { CheckedSchema } from './schema-check.ts';

/** A change of metadata from one version of a schema to another, and back. */
export interface Migration {
  readonly from: CheckedSchema;
  readonly to: CheckedSchema;
  readonly forward: JsonPatch;
  readonly inverse: JsonPatch;
}

/** As `SchemaValidator` has it, on behalf of one caller. */
export interface DataValidator {
  validate(schema: CheckedSchema, data: JsonValue): Promise<readonly MetadataFault[]>;
}

/**
 * Takes a migration that carries every sample there and back: the sample fits the old schema, what comes out fits the new
 * one, and the inverse makes the sample again, equal as canonical JSON. It is shown for these samples and no others, so there
 * must be one at least, and they should have every member that the old schema knows.
 * @throws QuasarError `migration_lossy`, `details.sample` being the index and `details.errors` what is wrong, with pointers
 * into the sample (steps `from`, `inverse`) or into what comes out (`forward`, `to`), as `details.step` says; what the validator throws.
 */
export async function checkMigration(
  migration: Migration,
  samples: readonly JsonValue[],
  validator: DataValidator,
): Promise<void> {
  if (samples.length === 0 || samples.length > limits.migrationSamplesMax) {
    throw new QuasarError('bad_body', { op, message: `A migration is shown by 1 to ${limits.migrationSamplesMax} samples.` });
  }
  for (const [index, sample] of samples.entries()) {
    requireNoFaults(await validator.validate(migration.from, sample), { sample: index, step: 'from' });
    const moved = migrate(sample, migration.forward, { sample: index, step: 'forward' });
    requireNoFaults(await validator.validate(migration.to, moved), { sample: index, step: 'to' });
    const back = migrate(moved, migration.inverse, { sample: index, step: 'inverse' });
    if (canonicalJson(back) === canonicalJson(sample)) continue;
    throw lossy(differencesOf(sample, back, limits.metadataFaultsMax), { sample: index, step: 'inverse' });
  }
}

/** Which sample, and where on its way there and back. */
interface Place {
  readonly sample: number;
  readonly step: 'from' | 'forward' | 'to' | 'inverse';
}

function migrate(data: JsonValue, patch: JsonPatch, place: Place): JsonObject {
  let result: JsonValue;
  try {
    result = applyPatch(data, patch);
  } catch (cause) {
    if (!isQuasarError(cause) || !PATCH_FAULTS.includes(cause.code)) throw cause;
    const { path } = cause.details;
    throw lossy([{ path: typeof path === 'string' ? path : '', code: cause.code, message: cause.message }], place, cause);
  }
  if (isJsonObject(result)) return result;
  throw lossy([{ path: '', code: 'type', message: 'is no object' }], place);
}

function requireNoFaults(faults: readonly MetadataFault[], place: Place): void {
  if (faults.length > 0) throw lossy(faults, place);
}

function lossy(faults: readonly MetadataFault[], place: Place, cause?: unknown): QuasarError {
  return new QuasarError('migration_lossy', {
    op,
    message: `Sample ${place.sample} ${REASONS[place.step]}.`,
    details: { ...place, errors: boundFaults(faults) },
    ...(cause === undefined ? {} : { cause }),
  });
}

const REASONS: Readonly<Record<Place['step'], string>> = {
  from: 'does not fit the schema it comes from',
  forward: 'cannot be carried forward',
  to: 'does not fit the schema it goes to, once carried forward',
  inverse: 'is not the same again after going forward and back',
};
const PATCH_FAULTS: readonly ErrorCode[] = ['patch_failed', 'metadata_too_large'];
const op = 'metadata.checkMigration';
