import type { ExternalRef } from '../../catalog/ref-store.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { limits } from '../../core/limits.ts';
import { isJsonObject, type JsonValue } from '../../metadata/json-value.ts';
import { badField, fieldsOf, requiredString } from './body-fields.ts';

/** `{system, value, meta}` each. @throws QuasarError `bad_parameter`, `bad_body`. */
export function parseRefs(value: JsonValue | undefined): readonly ExternalRef[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > limits.externalRefsMax) {
    throw badField('externalRefs', `must be a list of at most ${limits.externalRefsMax}`);
  }
  const refs = value.map((item: JsonValue) => {
    const fields = fieldsOf(item, ['system', 'value', 'meta']);
    const name = parseRefName(requiredString(fields, 'system'), requiredString(fields, 'value'));
    return { ...name, meta: parseMeta(fields.meta as JsonValue | undefined) };
  });
  if (new Set(refs.map(refText)).size < refs.length) throw badField('externalRefs', 'must not name the same reference twice');
  return refs;
}

/** The body of a single one: `{meta}`, or nothing. */
export function parseRefBody(body: JsonValue | undefined): string | undefined {
  return parseMeta(fieldsOf(body, ['meta']).meta as JsonValue | undefined);
}

/** `system:value`, as `?ref=` has it. */
export function parseRefText(text: string): { system: string; value: string } {
  const colon = text.indexOf(':');
  if (colon === -1) throw badField('ref', 'must be system:value');
  return parseRefName(text.slice(0, colon), text.slice(colon + 1));
}

export function parseRefName(system: string, value: string): { system: string; value: string } {
  if (!SYSTEM.test(system)) throw badField('system', `must match ${SYSTEM.source}`);
  if (value.length === 0 || value.length > limits.externalRefMax || !VALUE.test(value)) {
    throw badField('value', `must be 1 to ${limits.externalRefMax} characters without controls, in normal form NFC`);
  }
  if (value.normalize('NFC') !== value) throw badField('value', 'must be in Unicode normal form NFC');
  return { system, value };
}

function parseMeta(meta: JsonValue | undefined): string | undefined {
  if (meta === undefined || meta === null) return undefined;
  if (!isJsonObject(meta)) throw badField('meta', 'must be an object');
  const text = canonicalJson(meta);
  if (text.length > limits.externalRefMetaMax)
    throw badField('meta', `must have at most ${limits.externalRefMetaMax} characters`);
  return text;
}

function refText({ system, value }: { readonly system: string; readonly value: string }): string {
  return `${system}:${value}`;
}

const SYSTEM = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const VALUE = /^\P{Cc}+$/u;
