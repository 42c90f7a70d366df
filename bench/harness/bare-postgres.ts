import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Closer } from '../../src/core/closer.ts';
import { APP_ROLE, DATABASE } from '../../src/database/bootstrap.ts';
import type { Queries, QueryResult } from '../../src/database/transaction.ts';
import type { QuasarServer } from './quasar-server.ts';

/** Where the database of a server listens, and as whom the server itself connects. */
export interface DatabasePlace {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Of a server that runs, and was opened without options, so that its secrets lie with its data. */
export function databaseOf({ dataFolder }: QuasarServer): DatabasePlace {
  const lines = readFileSync(join(dataFolder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').split('\n');
  const secret = readFileSync(join(dataFolder, 'secrets', 'postgres-password'), 'utf8').trimEnd();
  const password = createHmac('sha256', secret).update(APP_ROLE).digest('hex');
  return { host: lines[SOCKET_LINE] ?? '', port: Number(lines[PORT_LINE]), user: APP_ROLE, password, database: DATABASE };
}

/** One connection and nothing else: no pool, no errors of ours. Statements with parameters are prepared once each. */
export class BarePostgres implements Queries {
  readonly #client: pg.Client;
  readonly #names = new Map<string, string>();

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** So many of them; `closer` ends them. */
  static async open(place: DatabasePlace, count: number, closer: Pick<Closer, 'push'>): Promise<BarePostgres[]> {
    const connections: BarePostgres[] = [];
    for (let index = 0; index < count; index += 1) {
      const client = new pg.Client({ ...place });
      await client.connect();
      closer.push('connection', () => client.end());
      connections.push(new BarePostgres(client));
    }
    return connections;
  }

  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
    const name = this.#names.get(text) ?? `q${this.#names.size}`;
    this.#names.set(text, name);
    const { rows, command } = await this.#client.query<Row>({
      text,
      values: [...values],
      ...(values.length > 0 ? { name } : {}),
    });
    return { rows, command };
  }

  change<Row extends object>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.query<Row>(text, values);
  }
}

/** Lines of postmaster.pid, from 0. */
const PORT_LINE = 3;
const SOCKET_LINE = 4;
