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
  /** Told about idle connections that broke; the next query opens a new one. */
  readonly onConnectionLost?: (error: Error) => void;
}

/** How much longer than the server we wait for a statement before the connection is given up. */
const GRACE_MS = 5_000;

/** Connections of one database user. Connects when first used. */
export class PostgresPool implements ConnectionPool {
  readonly #pool: pg.Pool;
  readonly #broken = new WeakSet<pg.ClientBase>();
  #closing: Promise<void> | undefined;

  constructor(options: PostgresPoolOptions) {
    const { host, port, user, password, database } = options;
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
        const { rows, command } = await client.query<Row>(text, values as unknown[]);
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

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw fromPostgresError(error, 'database.connect');
    }
  }
}
