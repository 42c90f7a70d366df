import { systemClock } from '../../src/core/clock.ts';
import type { Closer } from '../../src/core/closer.ts';
import type { DriverRequest } from '../load/drivers/driver.ts';
import type { AnswerHead } from '../load/http/answer-parser.ts';
import { ConnectionFault } from '../load/http/connection-fault.ts';
import { HttpConnection, type WireBody } from '../load/http/http-connection.ts';
import { WireHead } from '../load/http/wire-head.ts';

/** A whole answer. */
export interface Told extends AnswerHead {
  readonly text: string;
  /** From before the first byte was sent until the last was received. */
  readonly ms: number;
}

export interface Question extends Omit<DriverRequest, 'text'> {
  /** JSON. */
  readonly json?: unknown;
  /** Bytes instead. */
  readonly body?: WireBody;
}

/** A server of this machine, and what every request to it carries. */
export interface Asked {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** One connection on which requests go one after the other: for requests that follow from the answers before them. */
export class HttpAsker {
  readonly #connection: HttpConnection;
  readonly #heads: WireHead;

  private constructor({ port, headers }: Asked) {
    this.#connection = new HttpConnection({
      target: { host: '127.0.0.1', port, tls: false },
      bytesPerSecond: undefined,
      readBuffer: Buffer.allocUnsafeSlow(READ_SIZE),
      onMoved: () => undefined,
    });
    this.#heads = new WireHead({ host: `127.0.0.1:${port}`, always: Object.entries(headers), credentials: undefined });
  }

  /** So many of them; `closer` ends them. */
  static open(asked: Asked, count: number, closer: Pick<Closer, 'push'>): HttpAsker[] {
    const askers = Array.from({ length: count }, () => new HttpAsker(asked));
    closer.push('connections', () => {
      for (const asker of askers) asker.close();
    });
    return askers;
  }

  /** @throws ConnectionFault */
  async ask({ json, body, headers, ...rest }: Question): Promise<Told> {
    const sent = json === undefined ? body : bodyOf(Buffer.from(JSON.stringify(json)));
    const typed = json === undefined ? headers : { 'content-type': 'application/json', ...headers };
    const request = typed === undefined ? rest : { ...rest, headers: typed };
    const head = this.#heads.write(request, sent?.size ?? (rest.method === 'GET' ? undefined : 0));
    let text = '';
    const sink = {
      onHead: () => undefined,
      onBody: (bytes: Buffer, start: number, end: number) => {
        text += bytes.toString('utf8', start, end);
      },
    };
    const wire = { head, isAnsweredWithBody: rest.method !== 'HEAD', ...(sent === undefined ? {} : { body: sent }) };
    const began = systemClock.monotonic();
    const answer = await this.#connection.exchange(wire, sink);
    return { ...answer, text, ms: systemClock.monotonic() - began };
  }

  /** Throws unless it is answered with this status. */
  async expect(status: number, question: Question): Promise<Told> {
    const told = await this.ask(question);
    if (told.status === status) return told;
    throw new Error(`${question.method} ${question.path} was answered ${told.status}: ${told.text.slice(0, 300)}`);
  }

  close(): void {
    this.#connection.break(new ConnectionFault('cut'));
  }
}

/** Does `work` for each number from 0 to before `count`, one at a time with each of `hands`. */
export async function inTurns<Hand>(
  hands: readonly Hand[],
  count: number,
  work: (hand: Hand, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const one = async (hand: Hand) => {
    for (let index = next++; index < count; index = next++) await work(hand, index);
  };
  await Promise.all(hands.map(one));
}

function bodyOf(bytes: Buffer): WireBody {
  return {
    size: bytes.length,
    fill: (target, offset, size) => void bytes.copy(target, 0, offset, offset + size),
  };
}

const READ_SIZE = 64 * 1024;
