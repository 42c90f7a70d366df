import { QuasarError } from '../core/errors.ts';
import { type EntityTags, parseEntityTags } from './conditional.ts';
import type { Exchange } from './edge.ts';

/** The preconditions that a route which changes something evaluates, in the order of RFC 9110 13.2.2. */
export type EvaluatedCondition = 'if-match' | 'if-none-match';

/** Undefined where absent. */
export interface WriteConditions {
  readonly ifMatch: EntityTags | undefined;
  readonly ifNoneMatch: EntityTags | undefined;
}

/**
 * Refuses every precondition that the route does not evaluate, and every one that cannot be read, before anything is
 * changed: a client that says when its request must not take effect is never answered as if it had said nothing. Ignored
 * are, as RFC 9110 13.1 demands, If-Unmodified-Since beside an If-Match that is evaluated, and If-Modified-Since and
 * If-Range, which say nothing about a change.
 * @throws QuasarError `precondition_unsupported`, `bad_parameter`.
 */
export function admitPreconditions(
  exchange: Pick<Exchange, 'header'>,
  evaluates: readonly EvaluatedCondition[] | undefined = [],
): void {
  for (const name of PRECONDITIONS) {
    const value = exchange.header(name);
    if (value === undefined) continue;
    if ((evaluates as readonly string[]).includes(name)) readTags(name, value);
    else if (name !== 'if-unmodified-since' || !hasIfMatch(exchange, evaluates)) throw unsupported(name, evaluates);
  }
}

/** What the request demands, for a route that evaluates both. @throws QuasarError `bad_parameter`. */
export function writeConditionsOf(exchange: Pick<Exchange, 'header'>): WriteConditions {
  const [ifMatch, ifNoneMatch] = [exchange.header('if-match'), exchange.header('if-none-match')];
  return {
    ifMatch: ifMatch === undefined ? undefined : readTags('if-match', ifMatch),
    ifNoneMatch: ifNoneMatch === undefined ? undefined : readTags('if-none-match', ifNoneMatch),
  };
}

function hasIfMatch(exchange: Pick<Exchange, 'header'>, evaluates: readonly EvaluatedCondition[]): boolean {
  return evaluates.includes('if-match') && exchange.header('if-match') !== undefined;
}

function readTags(name: string, value: string): EntityTags {
  const tags = parseEntityTags(value);
  if (tags !== undefined) return tags;
  const parameter = spelled(name);
  throw new QuasarError('bad_parameter', {
    op: 'http.conditions',
    message: `${parameter} must be * or a list of entity tags in quotes, such as "v-1", "v-2".`,
    details: { parameter },
  });
}

function unsupported(name: string, evaluates: readonly EvaluatedCondition[]): QuasarError {
  const instead =
    evaluates.length === 0
      ? 'It evaluates none: send the request without it.'
      : `It evaluates ${evaluates.map(spelled).join(' and ')}.`;
  return new QuasarError('precondition_unsupported', {
    op: 'http.conditions',
    message: `This route cannot evaluate ${spelled(name)}, so nothing was changed. ${instead}`,
    details: { parameter: spelled(name), evaluated: evaluates.map(spelled) },
  });
}

/** `If-Match` for `if-match`. */
function spelled(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** Those of RFC 9110, of WebDAV (RFC 4918, RFC 6638), and the ones that clients of object stores send. */
const PRECONDITIONS = [
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'if',
  'if-schedule-tag-match',
  'x-amz-if-match-last-modified-time',
  'x-amz-if-match-size',
  'x-goog-if-generation-match',
  'x-goog-if-metageneration-match',
] as const;
