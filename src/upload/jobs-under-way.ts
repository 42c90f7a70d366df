/**
 * Keeps a stream at two jobs of its lane, one being done and one waiting, so that the slots which fill meanwhile go
 * together into the next: fewer messages when the lane is behind, no waiting when it is not.
 */
export class JobsUnderWay {
  #older: Promise<unknown> = Promise.resolve();
  #newer: Promise<unknown> = Promise.resolve();

  /** Resolves when there is room for one more. */
  async turn(): Promise<void> {
    await this.#older;
  }

  add(job: Promise<unknown>): void {
    this.#older = this.#newer;
    this.#newer = job.catch(() => undefined);
  }
}
