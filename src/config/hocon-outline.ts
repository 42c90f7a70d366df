import type { HoconToken } from '@pushcorn/hocon-parser/lib/core/Tokenizer.js';
import { ConfigFault } from './config-fault.ts';

/** Where a key of a config file is set. */
export interface OutlineEntry {
  readonly key: string;
  readonly line: number;
  /** `key = ${?NAME}`: may repeat a key, since it only takes effect when NAME is set. */
  readonly optional: boolean;
}

const UNSAFE = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The keys of a HOCON text in order, with their lines, from the library's own tokens. The library reads the values; this
 * finds what it lets pass: keys set twice, and lines it has not got. What could read other files, the network or code
 * (`include`), or change objects of the program (`__proto__`), is refused before the library sees it.
 *
 * Recursive descent over: object = field*; field = key ("=" | ":") value | key object; value = word* object?
 */
export function outlineOf(tokens: readonly HoconToken[]): OutlineEntry[] {
  const reader = new OutlineReader(tokens);
  reader.readRoot();
  return reader.entries;
}

class OutlineReader {
  readonly entries: OutlineEntry[] = [];
  readonly #tokens: readonly { readonly kind: string; readonly token: HoconToken }[];
  #at = 0;

  constructor(tokens: readonly HoconToken[]) {
    this.#tokens = tokens.map((token) => ({ kind: token.type.description ?? '', token }));
  }

  readRoot(): void {
    this.#skip('NEWLINE', 'WHITESPACE', 'COMMENT');
    if (this.#kind() === 'OPEN_CURLY') this.#readObject([]);
    else this.#readFields([]);
    this.#skip('NEWLINE', 'WHITESPACE', 'COMMENT');
    if (this.#kind() !== undefined) throw this.#fault('there is a "}" without its "{"');
  }

  #readObject(path: readonly string[]): void {
    const opened = this.#line();
    this.#at += 1;
    this.#readFields(path);
    if (this.#kind() !== 'CLOSE_CURLY') throw new ConfigFault('the block that begins here is not closed', opened);
    this.#at += 1;
  }

  #readFields(path: readonly string[]): void {
    for (;;) {
      this.#skip('NEWLINE', 'WHITESPACE', 'COMMENT', 'COMMA');
      if (this.#kind() === undefined || this.#kind() === 'CLOSE_CURLY') return;
      this.#readField(path);
    }
  }

  #readField(path: readonly string[]): void {
    const line = this.#line();
    const key = [...path, ...this.#readKey()];
    this.#skip('NEWLINE', 'WHITESPACE');
    if (this.#kind() === 'OPEN_CURLY') {
      this.#readObject(key);
      return;
    }
    if (this.#kind() !== 'ASSIGN') throw new ConfigFault(`"${key.join('.')}" has no "=" and no value`, line);
    if (this.#value() === '+=') throw this.#fault('"+=" is not used here; write the whole value after "="');
    this.#at += 1;
    this.#readValue(key, line);
  }

  #readKey(): string[] {
    const segments = [''];
    for (; this.#kind() === 'VALUE' || this.#kind() === 'WHITESPACE'; this.#at += 1) {
      if (this.#isBareWord('include')) throw this.#fault('"include" is not supported; write the keys into this file');
      const [first = '', ...more] = this.#tokens[this.#at]?.token.quoted ? [this.#value()] : this.#value().split('.');
      segments[segments.length - 1] += first;
      segments.push(...more);
    }
    const parts = segments.map((segment) => segment.trim());
    if (parts.includes('')) throw this.#fault(`a key is expected, but "${parts.join('.') || this.#value()}" is none`);
    const unsafe = parts.find((part) => UNSAFE.has(part));
    if (unsafe !== undefined) throw this.#fault(`"${unsafe}" cannot be a key`);
    return parts;
  }

  #readValue(key: readonly string[], line: number): void {
    this.#skip('NEWLINE', 'WHITESPACE', 'COMMENT');
    let optional = false;
    let words = 0;
    for (
      let kind = this.#kind();
      kind !== undefined && !['NEWLINE', 'COMMA', 'CLOSE_CURLY', 'COMMENT'].includes(kind);
      kind = this.#kind()
    ) {
      if (kind === 'OPEN_CURLY') {
        this.#readObject(key);
        if (words === 0) return;
        continue;
      }
      if (kind === 'OPEN_SQUARE') throw this.#fault(`"${key.join('.')}" is a list, and no key takes a list`);
      if (kind === 'PIPE' || this.#isBareWord('include'))
        throw this.#fault(`"${this.#value()}" is not supported in a value; put it in quotes`);
      if (kind !== 'WHITESPACE') words += 1;
      optional = kind === 'SUBSTITUTION' && words === 1 && this.#value() === '${?';
      if (kind === 'SUBSTITUTION') this.#skipTo('CLOSE_CURLY');
      this.#at += 1;
    }
    this.entries.push({ key: key.join('.'), line, optional });
  }

  #skip(...kinds: string[]): void {
    while (kinds.includes(this.#kind() ?? '')) this.#at += 1;
  }

  #skipTo(kind: string): void {
    while (this.#kind() !== undefined && this.#kind() !== kind) this.#at += 1;
  }

  #isBareWord(word: string): boolean {
    const token = this.#tokens[this.#at]?.token;
    return token !== undefined && !token.quoted && token.value === word;
  }

  #kind(): string | undefined {
    return this.#tokens[this.#at]?.kind;
  }

  #value(): string {
    return this.#tokens[this.#at]?.token.value ?? 'the end of the file';
  }

  #line(): number {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)]?.token.line ?? 1;
  }

  #fault(message: string): ConfigFault {
    return new ConfigFault(message, this.#line());
  }
}
