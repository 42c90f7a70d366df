import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { readFieldLine } from './field-line.ts';
import { type LineFault, LineSection } from './line-section.ts';
import type { RequestHead } from './request-guard.ts';
import { readTarget } from './request-target.ts';

/**
 * One request head out of bytes that come in any pieces, read as strictly as RFC 9112 allows: whatever two readers might
 * understand in two ways is a fault. What the head asks for is the guard's to judge. Pure.
 */
export class HeadParser {
  readonly #section = new LineSection(limits.httpHeadMax, true);
  #headers: string[] = [];
  #requestLine: RegExpExecArray | undefined;
  #head: RequestHead | undefined;
  #fault: QuasarError | undefined;

  /** Whether a head has begun; empty lines in front of it do not count. */
  get began(): boolean {
    return this.#section.began;
  }

  /** Behind the head, when it is complete. */
  get at(): number {
    return this.#section.at;
  }

  /** The complete head. */
  get head(): RequestHead {
    return this.#head as RequestHead;
  }

  get fault(): QuasarError {
    return this.#fault as QuasarError;
  }

  /** For the next head on the same connection. */
  reset(): void {
    this.#section.reset();
    this.#headers = [];
    this.#requestLine = undefined;
  }

  /** Reads on at `from`. After `head` or `fault` the parser is done. */
  feed(bytes: Buffer, from: number): 'more' | 'head' | 'fault' {
    const outcome = this.#section.feed(bytes, from);
    for (const line of this.#section.lines) if (!this.#takeLine(line)) return 'fault';
    this.#section.lines.length = 0;
    if (outcome === 'more') return 'more';
    if (outcome !== 'end') return this.#failLine(outcome);
    const [, method, target, version] = this.#requestLine as unknown as [string, string, string, string];
    const { path, query, authority } = readTarget(target);
    this.#head = { version, method, path, query, authority, headers: this.#headers, checked: true };
    return 'head';
  }

  #takeLine(line: string): boolean {
    if (this.#requestLine === undefined) return this.#takeRequestLine(line);
    const field = readFieldLine(line);
    if (field !== undefined) {
      this.#headers.push(field.name, field.value);
      return true;
    }
    this.#fail('bad_request', /^[ \t]/.test(line) ? FOLDED : NO_FIELD);
    return false;
  }

  #takeRequestLine(line: string): boolean {
    this.#requestLine = REQUEST_LINE.exec(line) ?? undefined;
    if (this.#requestLine !== undefined) return true;
    this.#fail('bad_request', 'The request line is not method, target and version with one space between them.');
    return false;
  }

  #failLine(fault: LineFault): 'fault' {
    if (fault !== 'too_long') return this.#fail('bad_request', LINE_FAULTS[fault]);
    return this.#requestLine === undefined ? this.#fail('uri_too_long') : this.#fail('headers_too_large');
  }

  #fail(code: 'bad_request' | 'uri_too_long' | 'headers_too_large', message?: string): 'fault' {
    this.#fault = new QuasarError(code, { op: 'http.parseHead', ...(message === undefined ? {} : { message }) });
    return 'fault';
  }
}

export const LINE_FAULTS: Readonly<Record<Exclude<LineFault, 'too_long'>, string>> = {
  bare_cr: 'A carriage return stands without its line feed.',
  bare_lf: 'A line ends in a line feed alone; lines end in CRLF.',
  control_character: 'There is a control character where text must be; is this TLS, or another protocol?',
};

const NO_FIELD = 'A header line is not a name, a colon and a value.';
const FOLDED = 'A header value goes on in the next line, which is no longer allowed.';
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(\d\.\d)$/;
