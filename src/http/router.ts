import { assert } from '../core/assert.ts';
import { QuasarError } from '../core/errors.ts';
import type { Exchange } from './edge.ts';
import { decodeSegment } from './request-guard.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Decoded path parameters by the names of the pattern. */
export type Params = Readonly<Record<string, string>>;

export type Handler<Deps> = (exchange: Exchange, params: Params, deps: Deps) => void | Promise<void>;

/** A route is data, so that the table can be compared with the OpenAPI document. */
export interface Route<Deps> {
  readonly method: Method;
  /** Segments are literal or `{name}`: `/v1/documents/{documentId}/content`. */
  readonly pattern: string;
  readonly handler: Handler<Deps>;
}

export function route<Deps>(method: Method, pattern: string, handler: Handler<Deps>): Route<Deps> {
  return { method, pattern, handler };
}

/**
 * Finds the route of a request: literal segments go before parameters, HEAD falls back to GET, OPTIONS answers with the
 * methods there are. A parameter matches one non-empty segment. The guard has refused broken encodings before.
 */
export class Router<Deps> {
  readonly routes: readonly Route<Deps>[];
  readonly #deps: Deps;
  readonly #root: Branch<Deps> = newBranch();

  constructor(routes: readonly Route<Deps>[], deps: Deps) {
    this.routes = routes;
    this.#deps = deps;
    for (const entry of routes) this.#add(entry);
  }

  /** @throws QuasarError `route_not_found`, `method_not_allowed`, and what the handler throws. */
  dispatch(exchange: Exchange): void | Promise<void> {
    const params: Record<string, string> = {};
    const branch = find(this.#root, exchange.path, params);
    if (branch === undefined) throw new QuasarError('route_not_found', { op: 'http.route' });
    const { method } = exchange;
    const found = branch.methods.get(method) ?? (method === 'HEAD' ? branch.methods.get('GET') : undefined);
    if (found !== undefined) {
      exchange.route = found.pattern;
      return found.handler(exchange, params, this.#deps);
    }
    const allow = allowedMethods(branch);
    if (method === 'OPTIONS') {
      exchange.reply(204, ['Allow', allow.join(', ')]);
      return;
    }
    throw new QuasarError('method_not_allowed', { op: 'http.route', details: { allow } });
  }

  #add(entry: Route<Deps>): void {
    assert(entry.pattern.startsWith('/'), 'a pattern starts with "/"');
    let branch = this.#root;
    for (const segment of entry.pattern.slice(1).split('/')) branch = grow(branch, segment);
    assert(!branch.methods.has(entry.method), `${entry.method} ${entry.pattern} is in the table once`);
    branch.methods.set(entry.method, entry);
  }
}

interface Branch<Deps> {
  readonly literals: Map<string, Branch<Deps>>;
  parameter: { readonly name: string; readonly branch: Branch<Deps> } | undefined;
  readonly methods: Map<string, Route<Deps>>;
}

function newBranch<Deps>(): Branch<Deps> {
  return { literals: new Map(), parameter: undefined, methods: new Map() };
}

function grow<Deps>(branch: Branch<Deps>, segment: string): Branch<Deps> {
  if (segment.startsWith('{') && segment.endsWith('}')) {
    const name = segment.slice(1, -1);
    branch.parameter ??= { name, branch: newBranch() };
    assert(branch.parameter.name === name, 'one place in a path has one parameter name');
    return branch.parameter.branch;
  }
  let next = branch.literals.get(segment);
  if (next === undefined) {
    next = newBranch();
    branch.literals.set(segment, next);
  }
  return next;
}

function find<Deps>(root: Branch<Deps>, path: string, params: Record<string, string>): Branch<Deps> | undefined {
  let branch = root;
  let at = 1;
  while (at <= path.length) {
    let end = path.indexOf('/', at);
    if (end < 0) end = path.length;
    const segment = decodeSegment(path.slice(at, end)) ?? '';
    const literal = branch.literals.get(segment);
    if (literal !== undefined) {
      branch = literal;
    } else {
      if (branch.parameter === undefined || segment === '') return undefined;
      params[branch.parameter.name] = segment;
      branch = branch.parameter.branch;
    }
    at = end + 1;
  }
  return branch.methods.size > 0 ? branch : undefined;
}

function allowedMethods<Deps>(branch: Branch<Deps>): string[] {
  const methods = new Set<string>(branch.methods.keys());
  if (methods.has('GET')) methods.add('HEAD');
  methods.add('OPTIONS');
  return [...methods].sort();
}
