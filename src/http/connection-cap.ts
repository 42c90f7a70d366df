export interface CappedConnection {
  /** Gives its descriptor back before this returns. */
  cut(): void;
}

/**
 * Bounds how many connections are open. When all are taken, a new one gets the place of the one that has waited longest
 * without a request, half a head included: who only holds a place keeps nobody out. Those that have never brought a request
 * go before those that have, since a client that keeps its connection may be about to use it again.
 */
export class ConnectionCap<Connection extends CappedConnection> {
  readonly #max: number;
  readonly #open = new Set<Connection>();
  /** Without any request so far, the longest waiting first. */
  readonly #new = new Set<Connection>();
  /** Between two requests, the longest waiting first. */
  readonly #waiting = new Set<Connection>();

  constructor(max: number) {
    this.#max = max;
  }

  get open(): ReadonlySet<Connection> {
    return this.#open;
  }

  /** False when all places are taken by requests. */
  get canAdmit(): boolean {
    return this.#open.size < this.#max || this.#new.size > 0 || this.#waiting.size > 0;
  }

  admit(connection: Connection): void {
    const [longest] = this.#open.size < this.#max ? [] : this.#new.size > 0 ? this.#new : this.#waiting;
    if (longest !== undefined) {
      this.leave(longest);
      longest.cut();
    }
    this.#open.add(connection);
    this.#new.add(connection);
  }

  waits(connection: Connection): void {
    if (this.#open.has(connection)) this.#waiting.add(connection);
  }

  serves(connection: Connection): void {
    this.#new.delete(connection);
    this.#waiting.delete(connection);
  }

  leave(connection: Connection): void {
    this.#open.delete(connection);
    this.#new.delete(connection);
    this.#waiting.delete(connection);
  }
}
