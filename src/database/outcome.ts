import { QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import { LostAnswer } from './postgres-statement.ts';
import type { Queries } from './transaction.ts';

/** Events that a change stores, of which one at least is there when it took place and did something. */
export interface Proof {
  readonly orgId: string;
  readonly eventIds: readonly string[];
}

export type Outcome = 'committed' | 'nothing' | 'unknown';

/**
 * What became of a change whose answer was lost. `nothing`: it was rolled back, or did nothing. A server that crashed may give
 * the number of a lost transaction to another one, so only the events of the change prove that it took place.
 */
export async function findOutcome(pool: Queries, lost: LostAnswer, proof: Proof | undefined): Promise<Outcome> {
  const { transactionId } = lost;
  if (transactionId === undefined) return 'unknown';
  if (transactionId === null) return 'nothing';
  for (let attempt = 0; attempt < limits.outcomeAttemptsMax; attempt++) {
    const outcome = await lookFor(pool, transactionId, proof).catch((error) => {
      if (error instanceof QuasarError) return undefined;
      throw error;
    });
    if (outcome !== undefined) return outcome;
    await new Promise((resolve) => setTimeout(resolve, limits.outcomeIntervalMs));
  }
  return 'unknown';
}

/** Undefined while it is under way. */
async function lookFor(pool: Queries, id: string, proof: Proof | undefined): Promise<Outcome | undefined> {
  const status = await pool.query<{ status: string | null }>('SELECT pg_xact_status($1::xid8) AS status', [id]);
  switch (status.rows[0]?.status) {
    case 'aborted':
      return 'nothing';
    case 'committed':
      if (proof === undefined) return 'unknown';
      return (await isThere(pool, id, proof)) ? 'committed' : 'nothing';
    default:
      return undefined;
  }
}

/** Asked after the status, so that it sees what was committed by then. The subquery runs behind the row that sets the org. */
const THERE = `
  WITH org AS MATERIALIZED (SELECT set_config('app.org_id', $1, true) AS id)
  SELECT EXISTS (SELECT FROM audit.event e
                  WHERE e.org_id = org.id::uuid AND e.xid = $2::xid8 AND e.event_id = ANY ($3::uuid[])) AS there
    FROM org`;

async function isThere(pool: Queries, id: string, { orgId, eventIds }: Proof): Promise<boolean> {
  const { rows } = await pool.query<{ there: boolean }>(THERE, [orgId, id, eventIds]);
  return rows[0]?.there === true;
}

/** The error of a change whose answer was lost. `committed` stays readable by `tookPlace`. */
export function lostChange(lost: LostAnswer, outcome: Outcome, op: string): QuasarError {
  if (outcome === 'nothing') return new QuasarError('database_unavailable', { op, cause: lost });
  if (outcome === 'unknown') return new QuasarError('commit_unknown', { op, cause: lost });
  const message = 'The change took place, but its answer was lost.';
  return new QuasarError('commit_unknown', { op, message, details: { tookPlace: true }, cause: lost });
}

/** True of the error of a change that is known to be done. */
export function tookPlace(error: unknown): boolean {
  return error instanceof QuasarError && error.code === 'commit_unknown' && error.details.tookPlace === true;
}

/** The answer that a failure stands for was lost, and with it what became of the statement. */
export function lostAnswerOf(error: unknown): LostAnswer | undefined {
  return error instanceof QuasarError && error.cause instanceof LostAnswer ? error.cause : undefined;
}
