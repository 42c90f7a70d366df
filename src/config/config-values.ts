import { nearest } from '../core/nearest.ts';
import { ConfigFault } from './config-fault.ts';
import type { Key } from './config-key.ts';
import { type ConfigFileName, type ConfigSchema, configSchema, reservedFiles } from './config-schema.ts';
import type { HoconEntry } from './hocon-config-file.ts';

/** Where a value came from. */
export type ValueSource = { readonly kind: 'default' | 'flag' } | { readonly kind: 'file'; readonly line: number };

export interface ConfigValue {
  readonly file: ConfigFileName;
  readonly key: string;
  /** Undefined: left out, and the key has no default. */
  readonly value: unknown;
  /** As an operator would write it; undefined when there is no value. */
  readonly shown: string | undefined;
  readonly source: ValueSource;
}

type ValueOf<K> = K extends Key<infer Value> ? Value : never;

/** The checked values of all files, every key of the schema with a value or its default. */
export class ConfigValues {
  readonly #values = new Map<string, ConfigValue>();

  static defaults(): ConfigValues {
    const values = new ConfigValues();
    for (const [file, keys] of Object.entries(configSchema)) {
      for (const [name, key] of Object.entries(keys as Record<string, Key<unknown>>)) {
        values.#put(file as ConfigFileName, name, key, key.default, { kind: 'default' });
      }
    }
    return values;
  }

  /** Takes the entries of one file over. Returns what is wrong with them, one fault an entry. */
  take(file: string, entries: ReadonlyMap<string, HoconEntry>): ConfigFault[] {
    const faults: ConfigFault[] = [];
    for (const [name, { value, line }] of entries) {
      const key = findKey(file, name);
      const checked = key?.read(value);
      if (key === undefined) faults.push(unknownKey(file, name, line));
      else if (checked === undefined) faults.push(mistyped(name, key, value, line));
      else this.#put(file as ConfigFileName, name, key, checked, { kind: 'file', line });
    }
    return faults;
  }

  /** A command-line flag takes the place of a key. @throws ConfigFault */
  override<File extends ConfigFileName, Name extends keyof ConfigSchema[File] & string>(
    file: File,
    name: Name,
    value: unknown,
  ): void {
    const key = findKey(file, name) as Key<unknown>;
    const checked = key.read(value);
    if (checked === undefined) throw mistyped(name, key, value, undefined);
    this.#put(file, name, key, checked, { kind: 'flag' });
  }

  get<File extends ConfigFileName, Name extends keyof ConfigSchema[File] & string>(
    file: File,
    name: Name,
  ): ValueOf<ConfigSchema[File][Name]> {
    return this.entry(file, name).value as ValueOf<ConfigSchema[File][Name]>;
  }

  entry(file: ConfigFileName, name: string): ConfigValue {
    return this.#values.get(`${file}:${name}`) as ConfigValue;
  }

  all(): ConfigValue[] {
    return [...this.#values.values()];
  }

  #put(file: ConfigFileName, name: string, key: Key<unknown>, value: unknown, source: ValueSource): void {
    const shown = value === undefined ? undefined : key.show(value);
    this.#values.set(`${file}:${name}`, { file, key: name, value, shown, source });
  }
}

function findKey(file: string, name: string): Key<unknown> | undefined {
  const keys: Record<string, Key<unknown>> | undefined = configSchema[file as ConfigFileName];
  return keys !== undefined && Object.hasOwn(keys, name) ? keys[name] : undefined;
}

function unknownKey(file: string, name: string, line: number): ConfigFault {
  if (reservedFiles.includes(file))
    return new ConfigFault(`"${name}" is set, but this version uses no key of ${file}; remove it`, line);
  const known = Object.keys(configSchema[file as ConfigFileName]);
  const near = nearest(name, known);
  const advice = near === undefined ? `it has ${known.join(', ')}` : `did you mean "${near}"?`;
  return new ConfigFault(`"${name}" is not a key of ${file}; ${advice}`, line);
}

/** Repeats the value, unless it could be a secret in the wrong place. */
function mistyped(name: string, key: Key<unknown>, value: unknown, line: number | undefined): ConfigFault {
  const found = key.confidential ? '' : `, but it is ${JSON.stringify(value)}`;
  return new ConfigFault(`"${name}" must be ${key.expected}${found}`, line);
}
