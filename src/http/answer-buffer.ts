import { limits } from '../core/limits.ts';

/**
 * Where head and body of a small answer are put together, so that one system call takes both and the caller's bytes are
 * free again. The memory is used anew for every answer: nearly all of them are with the system before `send` returns.
 */
export class AnswerBuffer {
  #memory = Buffer.allocUnsafeSlow(SIZE);

  /** `send` returns whether all was taken; what was not keeps its memory. */
  send(head: string, body: string | Uint8Array, size: number, send: (whole: Buffer) => boolean): void {
    const memory = head.length + size <= SIZE ? this.#memory : Buffer.allocUnsafeSlow(head.length + size);
    memory.write(head, 0, 'latin1');
    if (typeof body === 'string') memory.write(body, head.length, 'utf8');
    // Copies; `set` takes shared memory, where blocks lie, word by word.
    else if (size > 0) memory.fill(body, head.length, head.length + size);
    const taken = send(memory.subarray(0, head.length + size));
    if (!taken && memory === this.#memory) this.#memory = Buffer.allocUnsafeSlow(SIZE);
  }
}

/** A head of ours is far smaller than one we take. */
const SIZE = limits.httpInlineReplyMax + limits.httpHeadMax;
