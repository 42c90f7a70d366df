import pg from 'pg';
import type { QueryResult } from './transaction.ts';

/** A statement that runs first, in the same transaction and the same round trip, and answers one row. */
export interface Guard {
  readonly text: string;
  readonly values: readonly string[];
  /** Of a statement that the connection keeps prepared under this name. Empty: it is parsed each time. */
  readonly name: string;
}

export interface StatementOptions {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly name: string | undefined;
  readonly guard: Guard | undefined;
}

/** The connection ended, or went silent, after the statement was sent: what became of it is not known here. */
export class LostAnswer extends Error {
  override readonly name = 'LostAnswer';
  /** Of the transaction the statement ran in; null when it had changed nothing. Undefined: the server had not told it by then. */
  readonly transactionId: string | null | undefined;

  constructor(cause: unknown, transactionId: string | null | undefined) {
    super('The connection was lost before the statement was answered.', { cause });
    this.transactionId = transactionId;
  }
}

/** What pg's own query object does with the messages of a server; its types leave that out. */
interface QueryInternals {
  prepare(connection: pg.Connection): void;
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void;
  handleCommandComplete(message: unknown, connection: pg.Connection): void;
  handleError(error: Error, connection: pg.Connection): void;
}

type Callback = (error: Error | null, result: QueryResult<object>) => void;

const BaseQuery = pg.Query as unknown as new (
  config: { text: string; values?: readonly unknown[]; name?: string; queryMode?: 'extended' },
  callback: Callback,
) => QueryInternals & pg.Submittable;

interface PipelinedConnection {
  parse(message: { text: string; name: string; types: readonly number[] }): void;
  bind(message: { portal: string; statement: string; values: readonly string[]; valueMapper(value: string): string }): void;
  execute(message: { portal: string; rows: number }): void;
  flush(): void;
}

/**
 * One statement on its way, behind its guard: Parse, Bind and Execute of both before one Sync, so that they are one implicit
 * transaction. The server tells the guard's row before it begins with the statement (Flush), so that the number of the
 * transaction is here whatever happens then. A failure is told when the server has also said that it goes on; when it does
 * not, the outcome is a `LostAnswer`. That needs no word of the server's own language.
 */
export class Statement<Row extends object> extends BaseQuery {
  readonly answer: Promise<QueryResult<Row>>;
  readonly #guard: Guard | undefined;
  #guarded: boolean;
  #transactionId: string | null | undefined;

  constructor({ text, values, name, guard }: StatementOptions) {
    let settle: Callback = () => undefined;
    const answer = new Promise<QueryResult<Row>>((resolve, reject) => {
      settle = (error, result) => (error === null ? resolve(result as QueryResult<Row>) : reject(error));
    });
    const mode = guard === undefined ? {} : { queryMode: 'extended' as const };
    super({ text, values, ...(name === undefined ? {} : { name }), ...mode }, (error, result) => settle(error, result));
    this.answer = answer;
    this.#guard = guard;
    this.#guarded = guard === undefined;
  }

  /** For a connection that is given up without its answer. */
  lost(cause: unknown): LostAnswer {
    return new LostAnswer(cause, this.#transactionId);
  }

  override prepare(connection: pg.Connection): void {
    if (this.#guard !== undefined) sendGuard(this.#guard, connection as unknown as PipelinedConnection);
    super.prepare(connection);
  }

  override handleDataRow(message: { readonly fields: readonly (string | null)[] }): void {
    if (this.#guarded) super.handleDataRow(message);
    else this.#transactionId = message.fields[0];
  }

  override handleCommandComplete(message: unknown, connection: pg.Connection): void {
    if (this.#guarded) super.handleCommandComplete(message, connection);
    else this.#guarded = true;
  }

  override handleError(error: Error, connection: pg.Connection): void {
    if (!(error instanceof pg.DatabaseError)) {
      super.handleError(this.lost(error), connection);
      return;
    }
    const goesOn = () => {
      connection.off('end', ends);
      super.handleError(error, connection);
    };
    const ends = () => {
      connection.off('readyForQuery', goesOn);
      super.handleError(this.lost(error), connection);
    };
    connection.once('readyForQuery', goesOn);
    connection.once('end', ends);
  }
}

function sendGuard({ text, values, name }: Guard, connection: PipelinedConnection): void {
  // One that is kept is parsed before: pg would take the answer to this Parse for that to the statement's own.
  if (name === '') connection.parse({ text, name, types: [] });
  connection.bind({ portal: '', statement: name, values, valueMapper: (value) => value });
  connection.execute({ portal: '', rows: 0 });
  connection.flush();
}
