/**
 * Gathers what is asked for while statements are under way and hands it over in batches: no timer, a lone item starts at
 * once, and the longer a statement takes, the larger the next batch.
 */
export class BatchQueue<Item> {
  readonly #lanes: number;
  readonly #take: (waiting: Item[]) => Item[];
  readonly #run: (batch: readonly Item[]) => Promise<void>;
  readonly #waiting: Item[] = [];
  #running = 0;

  /**
   * `take` removes from the front what may share a statement with the first. `run` settles every item it is given and
   * never rejects; at most `lanes` of it are under way at once.
   */
  constructor(options: {
    readonly lanes: number;
    readonly take: (waiting: Item[]) => Item[];
    readonly run: (batch: readonly Item[]) => Promise<void>;
  }) {
    this.#lanes = options.lanes;
    this.#take = options.take;
    this.#run = options.run;
  }

  add(item: Item): void {
    this.#waiting.push(item);
    // What becomes ready in the same turn of the event loop travels together.
    if (this.#waiting.length === 1) setImmediate(() => this.#startNext());
  }

  #startNext(): void {
    while (this.#running < this.#lanes && this.#waiting.length > 0) {
      this.#running += 1;
      void this.#run(this.#take(this.#waiting)).then(() => {
        this.#running -= 1;
        this.#startNext();
      });
    }
  }
}
