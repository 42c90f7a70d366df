import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { assert } from '../core/assert.ts';
import { limits } from '../core/limits.ts';
import { boundsOf, COMMIT_GUARD, makeGuards } from './guards.ts';
import { findOutcome, lostAnswerOf, lostChange, type Proof } from './outcome.ts';
import { cancelOnServer } from './postgres-cancel.ts';
import { fromPostgresError, isStatementFailure } from './postgres-errors.ts';
import { type Guard, LostAnswer, Statement } from './postgres-statement.ts';
import type { Connection, ConnectionPool, Queries, QueryResult } from './transaction.ts';

/** Where and as whom to connect. */
export interface PostgresTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Undefined: in the clear. */
  readonly tls?: ConnectionOptions | undefined;
}

export interface PostgresPoolOptions extends PostgresTarget {
  readonly size?: number | undefined;
  /**
   * Every statement carries its bounds with it, which holds through a pooler too, and the server refuses a question that would
   * change something. Otherwise they are those of the session: for an administrator's connections straight to the server.
   */
  readonly guarded?: boolean | undefined;
  /**
   * Keep statements with parameters prepared on each connection, which saves their server a good part of the work. Not through a
   * pooler, which may hand the next statement to another server process. False unless given.
   */
  readonly prepares?: boolean | undefined;
  readonly connectMs?: number | undefined;
  readonly statementMs?: number | undefined;
  /** Of the session: how long one lock is waited for. As long as a statement may take, unless given. */
  readonly lockMs?: number | undefined;
  /** How much longer than the server's own bounds we wait. */
  readonly graceMs?: number | undefined;
  /** Told about idle connections that broke; the next query opens a new one. */
  readonly onConnectionLost?: (error: Error) => void;
}

/** Connections of one database user. Connects when first used. */
export class PostgresPool implements ConnectionPool {
  readonly #pool: pg.Pool;
  readonly #ssl: pg.ClientConfig['ssl'];
  readonly #statementMs: number;
  readonly #graceMs: number;
  readonly #guards: { readonly question: Guard; readonly change: Guard } | undefined;
  readonly #broken = new WeakSet<pg.ClientBase>();
  /** Connections that keep the guards prepared. */
  readonly #ready = new WeakSet<pg.ClientBase>();
  /** By text. Texts that are put together for one occasion must not fill the server's memory, so only some are kept. */
  readonly #names: Map<string, string> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: PostgresPoolOptions) {
    const { prepares = false, guarded = false, statementMs = limits.databaseStatementMs, lockMs = statementMs } = options;
    this.#names = prepares ? new Map() : undefined;
    this.#ssl = options.tls ?? false;
    this.#statementMs = statementMs;
    this.#graceMs = options.graceMs ?? limits.databaseGraceMs;
    this.#guards = guarded ? makeGuards(statementMs, prepares) : undefined;
    this.#pool = new pg.Pool({
      ...clientConfigOf(options),
      max: options.size ?? limits.databasePoolSize,
      connectionTimeoutMillis: options.connectMs ?? limits.databaseConnectMs,
      idleTimeoutMillis: 0,
      // A pooler may refuse parameters it does not know, and would not keep them.
      ...(guarded ? {} : { statement_timeout: statementMs, lock_timeout: lockMs }),
      application_name: 'quasar',
    });
    // One event for idle connections, and one for each that is lent: left alone, either would end the process.
    this.#pool.on('error', (error) => options.onConnectionLost?.(error));
    this.#pool.on('connect', (client) => client.on('error', () => this.#broken.add(client)));
  }

  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.#withClient((client) => this.#ask<Row>(client, text, values, this.#guards?.question));
  }

  async change<Row extends object>(text: string, values?: readonly unknown[], proof?: Proof): Promise<QueryResult<Row>> {
    try {
      return await this.#withClient((client) => this.#ask<Row>(client, text, values, this.#guards?.change));
    } catch (error) {
      const lost = lostAnswerOf(error);
      if (lost === undefined) throw error;
      throw lostChange(lost, await findOutcome(this, lost, proof), 'database.change');
    }
  }

  withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#withClient((client) => {
      const query: Queries['query'] = (text, values) => this.#ask(client, text, values, undefined);
      const begin = async (settings: Readonly<Record<string, string>> = {}, reads = false) => {
        await query(this.#beginning(settings, reads));
      };
      return work({ query, change: query, begin, commit: () => this.#ask(client, 'COMMIT', [], COMMIT_GUARD) });
    });
  }

  /** Waits for queries under way. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    return this.#closing;
  }

  async #withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    try {
      return await work(client);
    } finally {
      client.release(this.#broken.has(client));
    }
  }

  async #ask<Row extends object>(
    client: pg.PoolClient,
    text: string,
    values: readonly unknown[] = [],
    guard: Guard | undefined,
  ): Promise<QueryResult<Row>> {
    try {
      await this.#prepareGuards(client, guard);
      const statement = new Statement<Row>({ text, values, name: this.#nameOf(text, values), guard });
      const { rows, command } = await this.#answerOf(client, statement);
      return { rows, command };
    } catch (error) {
      if (!isStatementFailure(error)) this.#broken.add(client);
      throw fromPostgresError(error, 'database.query');
    }
  }

  /**
   * The server's own bounds come first: the statement's, and that of a lock at the commit. A server that keeps silent after both
   * is asked to cancel, and then given up.
   */
  async #answerOf<Row extends object>(client: pg.PoolClient, statement: Statement<Row>): Promise<QueryResult<Row>> {
    client.query(statement);
    const { answer } = statement;
    // It may come while nobody waits for it.
    answer.catch(() => undefined);
    try {
      const inTime = await within(answer, 2 * this.#statementMs + this.#graceMs);
      if (inTime !== undefined) return inTime;
      await cancelOnServer(client, this.#ssl, this.#graceMs);
      const late = await within(answer, this.#graceMs);
      if (late !== undefined) return late;
      throw statement.lost(new Error('The server keeps silent.'));
    } catch (error) {
      // It may still wait for a lock, or work, on behalf of a connection that is no more.
      if (error instanceof LostAnswer) await cancelOnServer(client, this.#ssl, this.#graceMs);
      throw error;
    }
  }

  /** Once for each connection: what is kept is not parsed in the same breath as the statement it guards. */
  async #prepareGuards(client: pg.PoolClient, guard: Guard | undefined): Promise<void> {
    if (guard === undefined || guard.name === '' || this.#ready.has(client)) return;
    for (const { text, values, name } of Object.values(this.#guards ?? {}) as Guard[]) {
      await this.#answerOf(client, new Statement({ text, values, name, guard: undefined }));
    }
    this.#ready.add(client);
  }

  #beginning(settings: Readonly<Record<string, string>>, reads: boolean): string {
    // One message instead of several; statements that go together take no parameters, and ids need no quoting.
    const own = Object.entries(settings).map(([name, value]) => {
      assert(/^[\w.-]+$/.test(name + value), 'a setting needs no quoting');
      return `SELECT set_config('${name}', '${value}', true)`;
    });
    const bounds = this.#guards === undefined ? [] : [boundsOf(this.#statementMs)];
    return [`BEGIN${reads ? ' READ ONLY' : ''}`, ...bounds, ...own].join('; ');
  }

  /** Statements without parameters may be several in one text, which cannot be prepared. */
  #nameOf(text: string, values: readonly unknown[]): string | undefined {
    if (this.#names === undefined || values.length === 0) return undefined;
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (this.#names.size >= limits.databasePreparedMax) return undefined;
    const name = `q${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw fromPostgresError(error, 'database.connect');
    }
  }
}

/** `ssl` is always said: left out, pg would look for it in the environment. */
export function clientConfigOf({ host, port, user, password, database, tls }: PostgresTarget): pg.ClientConfig {
  return { host, port, user, password, database, ssl: tls ?? false };
}

/** Undefined when it takes longer. */
async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
