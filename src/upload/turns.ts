/** Work that must not overlap, one line per key: each piece runs when all that were asked for before it have ended. */
export class Turns<Key> {
  readonly #last = new Map<Key, Promise<void>>();

  /** Settles as `work` does; what failed before it in the line is not its matter. */
  run<T>(key: Key, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const ended = result.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, ended);
    void ended.then(() => {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    });
    return result;
  }
}
