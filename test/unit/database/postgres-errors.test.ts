import pg from 'pg';
import t from 'tap';
import { changedNothing, fromPostgresError, isStatementFailure } from '../../../src/database/postgres-errors.ts';
import { LostAnswer } from '../../../src/database/postgres-statement.ts';

function serverError(code: string, severity = 'ERROR'): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('told by the server', 0, 'error'), { code, severity });
}

t.test('a full disk is told as such, other lacks and lost connections as an unavailable database', async (t) => {
  for (const [code, expected] of [
    ['53100', 'storage_full'],
    ['53300', 'database_unavailable'],
    ['57P01', 'database_unavailable'],
    ['08006', 'database_unavailable'],
    ['42601', 'internal'],
    ['57014', 'timeout'],
    ['55P03', 'timeout'],
  ] as const) {
    t.equal(fromPostgresError(serverError(code), 'database.query').code, expected, code);
  }
  t.equal(fromPostgresError(new Error('ECONNRESET'), 'database.query').code, 'database_unavailable');
});

t.test('what a server said before it hung up proves nothing', async (t) => {
  // In a language of its own, and by a pooler that calls it an error.
  for (const severity of ['FATAL', 'FEHLER', 'ERROR']) {
    const error = fromPostgresError(new LostAnswer(serverError('57P01', severity), '7'), 'database.query');
    t.equal(error.code, 'database_unavailable');
    t.notOk(isStatementFailure(error) || changedNothing(error));
  }
  t.ok(changedNothing(fromPostgresError(serverError('23505', 'FEHLER'), 'database.query')));
});

t.test('a statement that failed for want of room has changed nothing', async (t) => {
  const error = fromPostgresError(serverError('53100'), 'database.query');
  t.ok(isStatementFailure(error));
  t.ok(changedNothing(error));
});
