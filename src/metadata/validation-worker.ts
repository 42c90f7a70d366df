import { parentPort } from 'node:worker_threads';
import { assert } from '../core/assert.ts';
import { limits } from '../core/limits.ts';
import { AjvSchemaFault, type CompiledSchema, compileSchema } from './ajv-compiler.ts';
import type { ValidationAnswer, ValidationJob } from './validation-messages.ts';

/** The program of a validation thread. Whatever a schema or its data do here, the thread can be ended from outside. */
assert(parentPort !== null, 'a validation thread has a parent');
const port = parentPort;

/** By hash; the least recently used is first. */
const compiled = new Map<string, CompiledSchema>();

port.on('message', (job: ValidationJob) => port.postMessage(answerOf(job)));
// What every schema needs is compiled before the first job, whose time is limited.
compileSchema('{"type":"string","format":"uri"}');
port.postMessage({ kind: 'ready' } satisfies ValidationAnswer);

function answerOf(job: ValidationJob): ValidationAnswer {
  try {
    const validate = compiledOf(job);
    return { kind: 'faults', faults: job.data === undefined ? [] : validate(job.data) };
  } catch (error) {
    if (error instanceof AjvSchemaFault) return { kind: 'schemaFault', path: error.path, message: error.message };
    if (error instanceof RangeError) return { kind: 'exhausted' };
    throw error;
  }
}

function compiledOf({ hash, schema }: ValidationJob): CompiledSchema {
  const validate = compiled.get(hash) ?? compileSchema(schema);
  compiled.delete(hash);
  compiled.set(hash, validate);
  const [oldest] = compiled.keys();
  if (compiled.size > limits.compiledSchemasMax && oldest !== undefined) compiled.delete(oldest);
  return validate;
}
