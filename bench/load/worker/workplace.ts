import { readS3Credentials } from '../drivers/aws4-signature.ts';
import { chooseDriver } from '../drivers/choose-driver.ts';
import type { Driver } from '../drivers/driver.ts';
import { HttpConnection } from '../http/http-connection.ts';
import { WireHead } from '../http/wire-head.ts';
import type { LoadPlan } from '../plan/plan.ts';
import { parseTarget } from '../plan/target.ts';
import { Content } from '../requests/content.ts';
import { type RequestTools, VerifyTurns } from '../requests/request-tools.ts';

const READ_BUFFER = 256 * 1024;

/** What all connections of a worker share. */
export class Workplace {
  readonly plan: LoadPlan;
  readonly worker: number;
  readonly driver: Driver;
  readonly #content: Content;
  readonly #wire: WireHead;
  readonly #turns: VerifyTurns;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER);

  constructor(plan: LoadPlan, worker: number, headers: readonly (readonly [string, string])[]) {
    const { host, base } = parseTarget(plan.url);
    this.plan = plan;
    this.worker = worker;
    this.driver = chooseDriver(plan.driver, base);
    this.#content = new Content(plan.seed);
    const credentials = plan.driver === 's3-signed' ? readS3Credentials(process.env) : undefined;
    this.#wire = new WireHead({ host, always: headers, credentials });
    this.#turns = new VerifyTurns(plan.verify);
  }

  /** How many of the connections are this worker's. */
  get connections(): number {
    return share(this.plan.connections, this.worker, this.plan.workers);
  }

  openConnection(onMoved: (sent: number, received: number) => void, bytesPerSecond?: number): HttpConnection {
    const { target } = parseTarget(this.plan.url);
    return new HttpConnection({ target, bytesPerSecond, readBuffer: this.#readBuffer, onMoved });
  }

  /** The connections of the run; the slow ones lie evenly among those of all workers. */
  openConnections(onMoved: (sent: number, received: number) => void): HttpConnection[] {
    const { slow, workers } = this.plan;
    return Array.from({ length: this.connections }, (_, index) => {
      const place = this.worker + index * workers;
      const isSlow = slow !== undefined && Math.floor((place + 1) * slow.share) > Math.floor(place * slow.share);
      return this.openConnection(onMoved, isSlow ? slow.bytesPerSecond : undefined);
    });
  }

  toolsFor(connection: HttpConnection): RequestTools {
    const { driver } = this;
    return { driver, content: this.#content, wire: this.#wire, connection, turns: this.#turns };
  }

  bodyNumber(index: number): number {
    return this.plan.same ? 0 : index;
  }

  /** A name that no other seed and number has. */
  nameOf(number: number): string {
    return `load-${this.plan.seed}-${number}.bin`;
  }
}

/** Of `count` things, how many one of `workers` has when they take turns. */
export function share(count: number, worker: number, workers: number): number {
  return Math.floor(count / workers) + (worker < count % workers ? 1 : 0);
}
