/** Keeps what was used last, by text; when there is too much of it, what was not used for longest goes first. */
export class LeastRecentlyUsed<V> {
  readonly #entries = new Map<string, V>();
  readonly #entriesMax: number;
  readonly #weightMax: number;
  readonly #weigh: (value: V) => number;
  #weight = 0;

  /** Bounded by number, and by the sum of what `weigh` says of each when it is given. */
  constructor(entriesMax: number, weight?: { readonly max: number; readonly weigh: (value: V) => number }) {
    this.#entriesMax = entriesMax;
    this.#weightMax = weight?.max ?? Number.POSITIVE_INFINITY;
    this.#weigh = weight?.weigh ?? (() => 0);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** What is too heavy by itself is not kept. */
  set(key: string, value: V): void {
    this.delete(key);
    const weight = this.#weigh(value);
    if (weight > this.#weightMax) return;
    this.#entries.set(key, value);
    this.#weight += weight;
    while (this.#entries.size > this.#entriesMax || this.#weight > this.#weightMax) {
      const [oldest] = this.#entries.keys();
      this.delete(oldest as string);
    }
  }

  delete(key: string): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#weight -= this.#weigh(value);
  }

  deleteWhere(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.delete(key);
  }
}
