import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { type PointerPath, parsePointer } from './json-pointer.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import { TextFault } from './text-fault.ts';

/** One operation of a JSON Patch (RFC 6902), its pointers read. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: PointerPath; readonly value: JsonValue }
  | { readonly op: 'copy' | 'move'; readonly path: PointerPath; readonly from: PointerPath }
  | { readonly op: 'remove'; readonly path: PointerPath };

export type JsonPatch = readonly PatchOperation[];

/**
 * Reads a patch out of strict JSON. Members that an operation does not define are ignored, as the RFC wants it.
 * @throws QuasarError `bad_body`, for an operation with its index in `details.operation`; `metadata_too_large` for too many.
 */
export function parsePatch(value: JsonValue): JsonPatch {
  if (!Array.isArray(value)) throw new QuasarError('bad_body', { op, message: 'A JSON Patch is an array of operations.' });
  if (value.length > limits.patchOperationsMax) {
    throw new QuasarError('metadata_too_large', {
      op,
      message: `The patch has more than ${limits.patchOperationsMax} operations.`,
      details: { operations: value.length, operationsMax: limits.patchOperationsMax },
    });
  }
  return value.map(parseOperation);
}

function parseOperation(value: JsonValue, index: number): PatchOperation {
  if (!isJsonObject(value)) throw malformed(index, 'is no object');
  const path = pointerOf(value, 'path', index);
  const name = Object.hasOwn(value, 'op') ? value.op : undefined;
  switch (name) {
    case 'add':
    case 'replace':
    case 'test':
      if (!Object.hasOwn(value, 'value')) throw malformed(index, 'has no value');
      return { op: name, path, value: value.value as JsonValue };
    case 'copy':
    case 'move':
      return { op: name, path, from: pointerOf(value, 'from', index) };
    case 'remove':
      return { op: name, path };
    default:
      throw malformed(index, 'is none of add, remove, replace, move, copy and test');
  }
}

function pointerOf(operation: JsonObject, name: 'path' | 'from', index: number): PointerPath {
  const text = Object.hasOwn(operation, name) ? operation[name] : undefined;
  if (typeof text !== 'string') throw malformed(index, `has no ${name}`);
  const path = parsePointer(text);
  if (path instanceof TextFault) throw malformed(index, `has a ${name} that ${path.reason}`);
  return path;
}

function malformed(index: number, reason: string): QuasarError {
  return new QuasarError('bad_body', {
    op,
    message: `Operation ${index} of the patch ${reason}.`,
    details: { operation: index },
  });
}

const op = 'metadata.parsePatch';
