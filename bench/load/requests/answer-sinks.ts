import type { AnswerHead, AnswerSink } from '../http/answer-parser.ts';
import { Content } from './content.ts';

/** Keeps the beginning of a text. */
export class TextSink implements AnswerSink {
  #parts: string[] = [];
  #size = 0;

  get text(): string {
    return this.#parts.join('');
  }

  onHead(): void {}

  onBody(bytes: Buffer, start: number, end: number): void {
    const last = Math.min(end, start + TEXT_MAX - this.#size);
    if (last <= start) return;
    this.#size += last - start;
    this.#parts.push(bytes.toString('utf8', start, last));
  }
}

const TEXT_MAX = 64 * 1024;

export interface ExpectedBytes {
  readonly content: Content;
  readonly body: { readonly number: number; readonly start: number };
  /** Of the first byte that is to come. */
  readonly offset: number;
}

/** Counts the bytes of a document, and compares them with what was uploaded when it is told what that was. */
export class DocumentSink implements AnswerSink {
  readonly #expected: ExpectedBytes | undefined;
  readonly #status: number;
  #isDocument = false;
  size = 0;
  /** Of the first byte that differs, from the beginning of the answer. */
  wrongAt: number | undefined;

  /** Bodies of answers with another status are no document. */
  constructor(status: number, expected: ExpectedBytes | undefined) {
    this.#status = status;
    this.#expected = expected;
  }

  onHead({ status }: AnswerHead): void {
    this.#isDocument = status === this.#status;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    if (this.#isDocument && this.#expected !== undefined && this.wrongAt === undefined)
      this.#compare(bytes, start, end, this.#expected);
    this.size += end - start;
  }

  #compare(bytes: Buffer, start: number, end: number, { content, body, offset }: ExpectedBytes): void {
    for (let at = start; at < end; at += Content.pieceMax) {
      const size = Math.min(Content.pieceMax, end - at);
      const place = this.size + at - start;
      content.fill(right, body, offset + place, size);
      if (bytes.compare(right, 0, size, at, at + size) !== 0) {
        this.wrongAt = place;
        return;
      }
    }
  }
}

/** One for all: it is filled and looked at before anything else happens. */
const right = Buffer.allocUnsafeSlow(Content.pieceMax);
