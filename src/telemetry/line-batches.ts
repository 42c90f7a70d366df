/** Takes lines with the line break at their end. */
export interface LineOutput {
  write(line: string): void;
}

/** Where lines go in the end: what `pino.destination` gives. */
export interface LineSink extends LineOutput {
  flush(): void;
  flushSync(): void;
}

/**
 * Gathers lines and hands them on as one text. The sink measures all it holds at every line it is given, which costs as
 * much as making the line; here a line costs one concatenation.
 */
export class LineBatches implements LineSink {
  readonly #sink: LineSink;
  readonly #sizeMax: number;
  #lines = '';

  /** A batch leaves when it has `sizeMax` characters, or by `flush`. */
  constructor(sink: LineSink, sizeMax: number) {
    this.#sink = sink;
    this.#sizeMax = sizeMax;
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= this.#sizeMax) this.#hand();
  }

  flush(): void {
    this.#hand();
    this.#sink.flush();
  }

  flushSync(): void {
    this.#hand();
    this.#sink.flushSync();
  }

  #hand(): void {
    if (this.#lines === '') return;
    const lines = this.#lines;
    this.#lines = '';
    this.#sink.write(lines);
  }
}
