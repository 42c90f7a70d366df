import type { BodySource } from '../../src/upload/incoming-body.ts';

/** A client that sends its chunks whenever it is not paused, as an HTTP adapter would hand them over. */
export class ScriptedSource implements BodySource {
  /** Sends its chunks and then nothing, not even an end. */
  endless = false;
  /** Sends its chunks and then vanishes. */
  vanishes = false;
  /** One chunk a turn of the event loop instead of all at once. */
  slow = false;
  readonly #chunks: Uint8Array[];
  #consumer: Parameters<BodySource['readBody']>[0] | undefined;
  #paused = false;
  #over = false;

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = [...chunks];
  }

  /** Chunks that nobody has taken yet. */
  get waiting(): number {
    return this.#chunks.length;
  }

  get paused(): boolean {
    return this.#paused;
  }

  readBody(consumer: Parameters<BodySource['readBody']>[0]): void {
    this.#consumer = consumer;
    this.#send();
  }

  pauseBody(): void {
    this.#paused = true;
  }

  resumeBody(): void {
    this.#paused = false;
    setImmediate(() => this.#send());
  }

  /** Sends more, as if the client had waited until now. */
  send(...chunks: Uint8Array[]): void {
    this.#chunks.push(...chunks);
    this.#send();
  }

  end(): void {
    this.endless = false;
    this.#send();
  }

  vanish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#consumer?.gone();
  }

  #send(): void {
    while (!this.#paused && !this.#over) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) {
        this.#finish();
        return;
      }
      // The server's memory is reused right after the callback.
      const borrowed = Uint8Array.from(chunk);
      this.#consumer?.chunk(borrowed);
      borrowed.fill(0xee);
      if (this.slow) {
        setImmediate(() => this.#send());
        return;
      }
    }
  }

  #finish(): void {
    if (this.endless) return;
    if (this.vanishes) {
      this.vanish();
      return;
    }
    this.#over = true;
    this.#consumer?.end();
  }
}

/** `bytes` in chunks of these sizes, over and over. */
export function chunksOf(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const size = sizes[chunks.length % sizes.length] as number;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
