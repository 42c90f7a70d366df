import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import type { RouteBody } from './body-rules.ts';
import type { Caller } from './caller.ts';
import type { Exchange } from './edge.ts';
import type { EvaluatedCondition } from './preconditions.ts';
import { open, type RouteAccess } from './route-access.ts';

/** Path parameters, percent-decoded, by the names in the pattern. */
export type Params = Readonly<Record<string, string>>;

export type Handler<Services> = (exchange: Exchange, params: Params, services: Services, caller: Caller) => void | Promise<void>;

/** A route is data, so that the contract (`openapi/`) can be compared with the table. */
export interface Route<Services> {
  readonly method: string;
  /** `/v1/documents/{documentId}/content`: literal segments and `{names}`. */
  readonly pattern: string;
  readonly access: RouteAccess;
  readonly handler: Handler<Services>;
  /** Of a route that changes something. All other preconditions are refused before the handler runs. */
  readonly evaluates?: readonly EvaluatedCondition[];
  /** JSON when absent. */
  readonly body?: RouteBody;
}

export function route<Services>(
  method: string,
  pattern: string,
  access: RouteAccess,
  handler: Handler<Services>,
): Route<Services> {
  return { method, pattern, access, handler };
}

/** The same route, whose body is something else than JSON. */
export function taking<Services>(body: RouteBody, entry: Route<Services>): Route<Services> {
  return { ...entry, body };
}

/** The same route, whose handler evaluates these preconditions together with the change. */
export function evaluating<Services>(evaluates: readonly EvaluatedCondition[], entry: Route<Services>): Route<Services> {
  return { ...entry, evaluates };
}

export interface Match<Services> {
  readonly route: Route<Services>;
  readonly params: Params;
}

/**
 * Finds the route of a request: literal segments before parameters, HEAD by the GET route when it has none of its own.
 * OPTIONS names the methods of a path, and `*` those of all paths together. A path nobody serves is `route_not_found`; one that is served by other methods only is `method_not_allowed`.
 */
export class Router<Services> {
  readonly #root = new Segment<Services>();
  readonly #methods = new Map<string, true>();

  constructor(routes: readonly Route<Services>[]) {
    for (const entry of routes) this.#add(entry);
  }

  match(method: string, path: string): Match<Services> {
    if (path === '*') return { route: optionsRoute(this.#allMethods()), params: {} };
    const values: string[] = [];
    const segment = find(this.#root, path, 1, values);
    if (segment === undefined) throw new QuasarError('route_not_found', { op: 'http.route' });
    const entry = segment.methods.get(method) ?? (method === 'HEAD' ? segment.methods.get('GET') : undefined);
    if (entry === undefined) {
      const allow = allowedMethods(segment.methods);
      if (method === 'OPTIONS') return { route: optionsRoute(allow), params: {} };
      throw new QuasarError('method_not_allowed', { op: 'http.route', details: { allow } });
    }
    const params: Record<string, string> = {};
    entry.names.forEach((name, index) => {
      params[name] = decode(values[index] as string, name);
    });
    return { route: entry.route, params };
  }

  /** What some path or other takes: the answer to `OPTIONS *`. */
  #allMethods(): readonly string[] {
    return allowedMethods(this.#methods);
  }

  #add(entry: Route<Services>): void {
    let segment = this.#root;
    const names: string[] = [];
    for (const part of entry.pattern.slice(1).split('/')) {
      if (part.startsWith('{')) {
        names.push(part.slice(1, -1));
        segment.parameter ??= new Segment();
        segment = segment.parameter;
      } else {
        const next: Segment<Services> = segment.literals.get(part) ?? new Segment();
        segment.literals.set(part, next);
        segment = next;
      }
    }
    this.#methods.set(entry.method, true);
    assert(!segment.methods.has(entry.method), `${entry.method} ${entry.pattern} stands in the table once`);
    segment.methods.set(entry.method, { route: entry, names });
  }
}

class Segment<Services> {
  readonly literals = new Map<string, Segment<Services>>();
  readonly methods = new Map<string, { readonly route: Route<Services>; readonly names: readonly string[] }>();
  parameter: Segment<Services> | undefined;
}

function find<S>(segment: Segment<S>, path: string, at: number, values: string[]): Segment<S> | undefined {
  const slash = path.indexOf('/', at);
  const end = slash === -1 ? path.length : slash;
  const part = path.slice(at, end);
  const literal = segment.literals.get(part);
  const next = literal ?? segment.parameter;
  if (next === undefined || part === '') return undefined;
  if (literal === undefined) values.push(part);
  if (slash === -1) return next.methods.size === 0 ? undefined : next;
  return find(next, path, end + 1, values);
}

function allowedMethods<S>(methods: ReadonlyMap<string, S>): string[] {
  const allow = [...methods.keys(), 'OPTIONS'];
  if (allow.includes('GET') && !allow.includes('HEAD')) allow.push('HEAD');
  return allow.sort();
}

/** One label for all of them in metrics: what is asked is what the table holds anyway. */
function optionsRoute(allow: readonly string[]): Route<unknown> {
  return route('OPTIONS', 'options', open, (exchange) => exchange.reply(204, ['Allow', allow.join(', ')]));
}

function decode(text: string, parameter: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new QuasarError('bad_parameter', { op: 'http.route', cause, details: { parameter } });
  }
}
