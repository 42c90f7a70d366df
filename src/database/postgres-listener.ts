import pg from 'pg';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { clientConfigOf, type PostgresTarget } from './postgres-pool.ts';

export interface ListenerOptions {
  /** Never through PgBouncer: it would hand the connection to others. */
  readonly target: PostgresTarget;
  readonly connectMs?: number;
  readonly channel: string;
  readonly onNotification: (payload: string) => void;
  /** True: from now on all that is told is heard; what was told before may not have been. False: it may not be heard. */
  readonly onListening: (listening: boolean) => void;
  readonly log: Log;
}

/**
 * One connection that listens to a channel, and connects again whenever it is lost. A connection that has gone silent is
 * found by questions of its own: nothing that was told stays unheard for longer than `limits.listenerQuestionMs` and
 * `limits.listenerSilenceMs` together without `onListening(false)`.
 */
export class PostgresListener {
  readonly #options: ListenerOptions;
  readonly #done: Promise<void>;
  #closing = false;
  #endRest: () => void = () => undefined;

  private constructor(options: ListenerOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  static start(options: ListenerOptions): PostgresListener {
    return new PostgresListener(options);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#endRest();
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      try {
        await this.#listen();
      } catch (error) {
        if (!this.#closing)
          this.#options.log.warn({ error, channel: this.#options.channel }, 'changes made elsewhere are not heard of');
      }
      this.#options.onListening(false);
      if (!this.#closing) await this.#rest(limits.listenerRestMs);
    }
  }

  /** Until the connection is lost or we close. */
  async #listen(): Promise<void> {
    const { target, channel, onNotification, onListening } = this.#options;
    const client = new pg.Client({
      ...clientConfigOf(target),
      connectionTimeoutMillis: this.#options.connectMs ?? limits.databaseConnectMs,
      query_timeout: limits.listenerSilenceMs,
      application_name: 'quasar listener',
    });
    // The next question fails, and comes at once; left alone, the event would end the process.
    client.on('error', () => this.#endRest());
    client.on('notification', ({ payload }) => onNotification(payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
      onListening(true);
      while (!this.#closing) {
        await this.#rest(limits.listenerQuestionMs);
        if (!this.#closing) await client.query('SELECT 1');
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
