/** Why bytes are no lines of HTTP; `too_long` is not malformed, but more than is read. */
export type LineFault = 'bare_cr' | 'bare_lf' | 'control_character' | 'too_long';

/**
 * Takes lines out of bytes that come in any pieces, until an empty one: the head of a request, or its trailers. Lines end
 * in CRLF and in nothing else, and hold no control character but tab. A fault is seen with the byte that makes it, so
 * that who speaks something else hears of it at once.
 */
export class LineSection {
  /** Complete lines without their ends, as Latin-1; who reads them takes them out. */
  readonly lines: string[] = [];
  /** Behind the section, once it has ended. */
  at = 0;
  readonly #sizeMax: number;
  readonly #skipsEmpty: boolean;
  #room: number;
  #began = false;
  #afterCr = false;
  /** Of the line under way, what earlier calls brought, without its CR. */
  #kept: Buffer | undefined;
  #keptSize = 0;

  /** `skipsEmpty`: lines may be empty before the first one that is not (RFC 9112 section 2.2). */
  constructor(sizeMax: number, skipsEmpty: boolean) {
    this.#sizeMax = sizeMax;
    this.#room = sizeMax;
    this.#skipsEmpty = skipsEmpty;
  }

  /** For the next section of the same kind. */
  reset(): void {
    this.lines.length = 0;
    this.#room = this.#sizeMax;
    this.#began = false;
    this.#afterCr = false;
    this.#kept = undefined;
    this.#keptSize = 0;
  }

  /** Whether anything but empty lines has come. */
  get began(): boolean {
    return this.#began;
  }

  /** Reads on at `from`. After `end` the section takes no more, and `at` says where it ended. */
  feed(bytes: Buffer, from: number): 'more' | 'end' | LineFault {
    const end = Math.min(bytes.byteLength, from + this.#room);
    this.#room -= end - from;
    let at = from;
    if (this.#afterCr && at < end) {
      if (bytes[at] !== LF) return 'bare_cr';
      this.#afterCr = false;
      at += 1;
      if (this.#endLine(at)) return 'end';
    }
    return this.#scan(bytes, at, end);
  }

  #scan(bytes: Buffer, from: number, end: number): 'more' | 'end' | LineFault {
    let linesAt = from;
    let lineAt = from;
    for (let at = from; at < end; at++) {
      const byte = bytes[at] as number;
      if ((byte >= SPACE && byte !== DELETE) || byte === TAB) continue;
      if (byte !== CR) return byte === LF ? 'bare_lf' : 'control_character';
      if (at + 1 === end) {
        this.#takeLines(bytes, linesAt, lineAt);
        this.#keep(bytes, lineAt, at);
        this.#afterCr = true;
        return end < bytes.byteLength ? 'too_long' : 'more';
      }
      if (bytes[at + 1] !== LF) return 'bare_cr';
      const next = at + 2;
      const isFirst = lineAt === linesAt;
      if (at === lineAt && (!isFirst || this.#keptSize === 0)) {
        if (this.#began || !this.#skipsEmpty) {
          this.#takeLines(bytes, linesAt, lineAt);
          this.at = next;
          return 'end';
        }
        linesAt = next;
      } else this.#began = true;
      lineAt = next;
      at += 1;
    }
    this.#takeLines(bytes, linesAt, lineAt);
    this.#keep(bytes, lineAt, end);
    return end < bytes.byteLength ? 'too_long' : 'more';
  }

  /** The line whose CR came with an earlier call is complete. True when it was the empty one that ends the section. */
  #endLine(next: number): boolean {
    if (this.#keptSize > 0) {
      this.lines.push(this.#takeKept());
      return false;
    }
    this.at = next;
    return this.#began || !this.#skipsEmpty;
  }

  /** From `from` to `to` there are whole lines, the first of which may have begun in what was kept. */
  #takeLines(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    const text = this.#takeKept() + bytes.toString('latin1', from, to - 2);
    for (const line of text.split('\r\n')) this.lines.push(line);
  }

  #takeKept(): string {
    const text = this.#kept?.toString('latin1', 0, this.#keptSize) ?? '';
    this.#keptSize = 0;
    return text;
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    this.#began = true;
    const size = this.#keptSize + to - from;
    if (this.#kept === undefined || this.#kept.byteLength < size) {
      const larger = Buffer.alloc(Math.max(KEPT_SIZE_MIN, 2 * size));
      this.#kept?.copy(larger, 0, 0, this.#keptSize);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#keptSize, from, to);
    this.#keptSize = size;
  }
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;
const KEPT_SIZE_MIN = 256;
