import { limits } from '../core/limits.ts';

/** Makes the error for a fault, which ends a sentence about the place that is being read. */
type FaultMaker = (reason: string) => Error;

/** The words of a JSON text: white space, punctuation and scalars. What belongs into what is the parser's matter. */
export class JsonScanner {
  readonly #text: string;
  readonly #stringMax: number;
  readonly #fault: FaultMaker;
  #at = 0;

  constructor(text: string, stringMax: number, fault: FaultMaker) {
    this.#text = text;
    this.#stringMax = stringMax;
    this.#fault = fault;
  }

  /** In UTF-16 units. */
  get at(): number {
    return this.#at;
  }

  get ended(): boolean {
    this.#skipSpace();
    return this.#at === this.#text.length;
  }

  take(mark: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  name(): string {
    this.#skipSpace();
    if (this.#text[this.#at] !== '"') throw this.#fault('lacks a member name');
    return this.#string();
  }

  scalar(): string | number | boolean | null {
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return this.#number();
  }

  #string(): string {
    const start = this.#at + 1;
    const end = this.#endOfString(start);
    const raw = this.#text.slice(start, end);
    this.#at = end + 1;
    // Escapes are checked by the one parser that everybody has; what has none is itself already.
    const value = raw.includes('\\') ? this.#unescape(raw) : raw;
    if (value.length > this.#stringMax) throw this.#fault(`has a string of more than ${this.#stringMax} characters`);
    if (LONE_SURROGATE.test(value)) throw this.#fault('has a string with half a surrogate pair');
    if (value.includes('\0')) throw this.#fault('has a string with U+0000');
    return value;
  }

  #endOfString(start: number): number {
    for (let at = start; at < this.#text.length; at += 1) {
      const unit = this.#text.charCodeAt(at);
      if (unit === QUOTE) return at;
      if (unit === BACKSLASH) at += 1;
      else if (unit < SPACE) throw this.#fault('has a control character in a string');
    }
    throw this.#fault('has a string without an end');
  }

  #unescape(raw: string): string {
    try {
      return JSON.parse(`"${raw}"`) as string;
    } catch (cause) {
      if (cause instanceof SyntaxError) throw this.#fault('has an unknown escape in a string');
      throw cause;
    }
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const literal = NUMBER.exec(this.#text)?.[0];
    if (literal === undefined) throw this.#fault(this.#at === this.#text.length ? 'ends too early' : 'has no value here');
    if (literal.length > limits.jsonNumberMax) throw this.#fault(`has a number of more than ${limits.jsonNumberMax} characters`);
    const value = Number(literal);
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) throw this.#fault('has a number beyond 2^53-1, which readers would change');
    if (value === 0 && /[1-9]/.test(literal.replace(/e.*/i, '')))
      throw this.#fault('has a number so small that it would become 0');
    this.#at += literal.length;
    return value === 0 ? 0 : value;
  }

  #skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at += 1) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== SPACE && unit !== LINE_FEED && unit !== CARRIAGE_RETURN && unit !== TAB) return;
    }
  }
}

const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;
/** Sticky: it matches at `lastIndex` or not at all. Each part can match in one way only, so it does not backtrack. */
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LONE_SURROGATE = /\p{Surrogate}/u;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;
