import { limits } from '../core/limits.ts';
import type { BodyFraming, FramingStep } from './body-framing.ts';
import { readFieldLine } from './field-line.ts';
import { LineSection } from './line-section.ts';

/** Where in a body the decoder stands, by what comes next. */
type Place = 'size' | 'extension' | 'size line feed' | 'data' | 'data end' | 'data line feed' | 'trailers';

/**
 * Where the data lies in a chunked body that comes in any pieces (RFC 9112 section 7.1), read strictly: CRLF behind every
 * size and every chunk, extensions by their grammar, trailers that are header lines. Extensions and trailers are dropped,
 * and there may be only so many of them. Pure.
 */
export class ChunkedBody implements BodyFraming {
  from = 0;
  to = 0;
  fault = '';
  readonly remaining = undefined;
  #place: Place = 'size';
  #digits = 0;
  #left = 0;
  #extension = '';
  #extensionsSize = 0;
  #trailers: LineSection | undefined;

  step(bytes: Buffer, at: number): FramingStep {
    for (let next = at; next < bytes.byteLength; next++) {
      switch (this.#place) {
        case 'data':
          return this.#data(bytes, next);
        case 'trailers':
          return this.#takeTrailers(bytes, next);
        default:
          if (!this.#take(bytes[next] as number)) return 'fault';
      }
    }
    return 'more';
  }

  #data(bytes: Buffer, from: number): FramingStep {
    this.from = from;
    this.to = Math.min(bytes.byteLength, from + this.#left);
    this.#left -= this.to - from;
    if (this.#left === 0) this.#place = 'data end';
    return 'data';
  }

  /** One byte of framing. False when it may not stand there. */
  #take(byte: number): boolean {
    switch (this.#place) {
      case 'size':
        return this.#takeSize(byte);
      case 'extension':
        return this.#takeExtension(byte);
      case 'size line feed':
        if (byte !== LF) return this.#fail('A line of a chunk size does not end in CRLF.');
        return this.#beginData();
      case 'data end':
        this.#place = 'data line feed';
        return byte === CR || this.#fail('A chunk is not followed by CRLF.');
      default:
        this.#place = 'size';
        return byte === LF || this.#fail('A chunk is not followed by CRLF.');
    }
  }

  #takeSize(byte: number): boolean {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#digits += 1;
      this.#left = this.#left * 16 + digit;
      return this.#digits <= SIZE_DIGITS_MAX || this.#fail('A chunk size is too large.');
    }
    if (this.#digits === 0) return this.#fail('A chunk size is missing, or not a hexadecimal number.');
    return this.#endSize(byte);
  }

  #endSize(byte: number): boolean {
    if (byte === CR) this.#place = 'size line feed';
    else if (byte === SEMICOLON) this.#place = 'extension';
    else return this.#fail('A chunk size is not a hexadecimal number.');
    return true;
  }

  #takeExtension(byte: number): boolean {
    if (byte !== CR) {
      this.#extension += String.fromCharCode(byte);
      this.#extensionsSize += 1;
      return this.#extensionsSize <= limits.httpChunkExtensionsMax || this.#fail('The chunk extensions are too long.');
    }
    this.#place = 'size line feed';
    const isRight = EXTENSIONS.test(`;${this.#extension}`);
    this.#extension = '';
    return isRight || this.#fail('A chunk extension is not a name with an optional value.');
  }

  #beginData(): boolean {
    this.#digits = 0;
    if (this.#left > 0) this.#place = 'data';
    else {
      this.#place = 'trailers';
      this.#trailers = new LineSection(limits.httpHeadMax, false);
    }
    return true;
  }

  #takeTrailers(bytes: Buffer, at: number): FramingStep {
    const section = this.#trailers as LineSection;
    const outcome = section.feed(bytes, at);
    if (section.lines.some((line) => readFieldLine(line) === undefined)) return this.#refuse('A trailer is no header line.');
    section.lines.length = 0;
    if (outcome === 'more') return 'more';
    if (outcome !== 'end') return this.#refuse('The trailers are malformed, or too long.');
    this.from = section.at;
    this.to = section.at;
    return 'end';
  }

  #refuse(why: string): 'fault' {
    this.#fail(why);
    return 'fault';
  }

  #fail(why: string): false {
    this.fault = why;
    return false;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const LF = 0x0a;
const CR = 0x0d;
const SEMICOLON = 0x3b;
/** Leading zeros count: sums of sizes stay exact, and no line is endless. */
const SIZE_DIGITS_MAX = 12;
/** RFC 9112 section 7.1.1, without the white space it calls bad. */
const EXTENSIONS =
  /^(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?)+$/;
