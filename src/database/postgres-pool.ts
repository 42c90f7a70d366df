import pg from 'pg';
import { limits } from '../core/limits.ts';
import { fromPostgresError, isStatementFailure } from './postgres-errors.ts';
import type { ConnectionPool, Queries, QueryResult } from './transaction.ts';

export interface PostgresPoolOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly size?: number;
  /**
   * Keep statements with parameters prepared on each connection, which saves their server a good part of the work. Not through a
   * pooler, which may hand the next statement to another server process. False unless given.
   */
  readonly prepares?: boolean;
  /** Told about idle connections that broke; the next query opens a new one. */
  readonly onConnectionLost?: (error: Error) => void;
}

/** How much longer than the server we wait for a statement before the connection is given up. */
const GRACE_MS = 5_000;

/** Connections of one database user. Connects when first used. */
export class PostgresPool implements ConnectionPool {
  readonly #pool: pg.Pool;
  readonly #broken = new WeakSet<pg.ClientBase>();
  /** By text. Texts that are put together for one occasion must not fill the server's memory, so only some are kept. */
  readonly #names: Map<string, string> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: PostgresPoolOptions) {
    const { host, port, user, password, database } = options;
    this.#names = options.prepares === true ? new Map() : undefined;
    this.#pool = new pg.Pool({
      host,
      port,
      user,
      password,
      database,
      max: options.size ?? limits.databasePoolSize,
      connectionTimeoutMillis: limits.databaseConnectMs,
      idleTimeoutMillis: 0,
      // The server's own bound is set on its roles, so that it also holds through a connection pooler.
      query_timeout: limits.databaseStatementMs + GRACE_MS,
      application_name: 'quasar',
    });
    // One event for idle connections, and one for each that is lent: left alone, either would end the process.
    this.#pool.on('error', (error) => options.onConnectionLost?.(error));
    this.#pool.on('connect', (client) => client.on('error', () => this.#broken.add(client)));
  }

  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.withConnection((connection) => connection.query<Row>(text, values));
  }

  async withConnection<T>(work: (connection: Queries) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    const run = async <Row extends object>(text: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> => {
      try {
        const name = this.#nameOf(text, values);
        const query = { text, values: values as unknown[], ...(name === undefined ? {} : { name }) };
        const { rows, command } = await client.query<Row>(query);
        return { rows, command };
      } catch (error) {
        if (!isStatementFailure(error)) this.#broken.add(client);
        throw fromPostgresError(error, 'database.query');
      }
    };
    try {
      return await work({ query: run });
    } finally {
      client.release(this.#broken.has(client));
    }
  }

  /** Waits for queries under way. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    return this.#closing;
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
