import { formatPointer } from './json-pointer.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import { metadataInvalid } from './metadata-fault.ts';

/** Reads an object of a known form out of JSON: what is not known is refused, and each fault says where it is. */
export class StrictRecord {
  readonly #object: JsonObject;
  readonly #path: readonly string[];
  readonly #op: string;

  /** @throws QuasarError `metadata_invalid`, as all of its methods, for no object or a member other than `names`. */
  constructor(
    value: JsonValue | undefined,
    where: { readonly path: readonly string[]; readonly op: string; readonly names: readonly string[] },
  ) {
    this.#path = where.path;
    this.#op = where.op;
    if (!isJsonObject(value)) throw this.fault(undefined, value === undefined ? 'required' : 'type', 'This is no object.');
    this.#object = value;
    const unknown = Object.keys(value).find((name) => !where.names.includes(name));
    if (unknown !== undefined)
      throw this.fault(unknown, 'additionalProperties', `There are no members here but ${where.names.join(', ')}.`);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  get(name: string): JsonValue | undefined {
    return this.has(name) ? this.#object[name] : undefined;
  }

  /** Between one and `lengthMax` characters, not of white space alone. */
  text(name: string, lengthMax: number): string {
    const value = this.get(name);
    if (typeof value !== 'string') throw this.fault(name, value === undefined ? 'required' : 'type', 'A text is wanted here.');
    if (value.trim() === '' || value.length > lengthMax)
      throw this.fault(name, 'maxLength', `The text is empty, or longer than ${lengthMax} characters.`);
    return value;
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.get(name);
    const word = words.find((one) => one === value);
    if (word === undefined)
      throw this.fault(name, value === undefined ? 'required' : 'enum', `One of ${words.join(', ')} is wanted here.`);
    return word;
  }

  object(name: string): JsonObject {
    const value = this.get(name);
    if (!isJsonObject(value)) throw this.fault(name, value === undefined ? 'required' : 'type', 'An object is wanted here.');
    return value;
  }

  inner(name: string, names: readonly string[]): StrictRecord {
    return new StrictRecord(this.get(name), { path: [...this.#path, name], op: this.#op, names });
  }

  fault(name: string | undefined, code: string, message: string) {
    return metadataInvalid(this.#op, [
      { path: formatPointer(name === undefined ? this.#path : [...this.#path, name]), code, message },
    ]);
  }
}
