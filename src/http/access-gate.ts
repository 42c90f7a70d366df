import type { AccessEpochs } from '../access/access-epochs.ts';
import type { AccessLists } from '../access/access-lists.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { type Decision, decide, effectiveOn } from '../access/decide.ts';
import { type Explanation, explain, explainHidden } from '../access/explain.ts';
import { withinOrg } from '../access/operators-only.ts';
import type { PrincipalStore } from '../access/principal-store.ts';
import type { RateGuard } from '../access/rate-guard.ts';
import type { FoundAccessList, RuledThing } from '../access/rule-store.ts';
import type { Session } from '../access/session.ts';
import type { EventWindows } from '../audit/event-windows.ts';
import type { Deed } from '../core/actor.ts';
import { allCapabilities, type Capability, type CapabilitySet, hasCapability, noCapabilities } from '../core/capability.ts';
import type { Clock } from '../core/clock.ts';
import type { BlobKey } from '../core/digest.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { type DocumentId, type FolderId, newId, type OrgId, type PrincipalId, parseId, type Scope } from '../core/ids.ts';
import { type Caller, contextOf, NobodyCaller, RequestCaller } from './caller.ts';
import type { Exchange } from './edge.ts';
import type { Gate, NotedListing, NotedRead } from './gate-port.ts';
import type { RouteAccess } from './route-access.ts';
import type { Params } from './router.ts';

export interface AccessGateOptions {
  readonly authenticator: Authenticator;
  readonly lists: AccessLists;
  readonly epochs: AccessEpochs;
  readonly principals: PrincipalStore;
  readonly windows: EventWindows;
  /** Undefined: nothing is limited. */
  readonly rates: RateGuard | undefined;
  readonly operatorOrgId: OrgId;
  readonly clock: Clock;
}

/** Why, as events tell it. */
type Refusal = Decision['reason'] | 'disposed';

/**
 * Where every request comes in: who asks, whether too much is asked, whether it may be. What is hidden and what is absent take
 * the same way: the rules are read from the database, the refusal is noted, the answer is 404.
 *
 * A request whose credential and rules are in memory passes without a promise.
 */
export class AccessGate implements Gate {
  readonly #options: AccessGateOptions;

  constructor(options: AccessGateOptions) {
    this.#options = options;
  }

  /** Who asks, once the route is open to them. @throws QuasarError `unauthenticated`, `rate_limited`, and as `require`. */
  enter(exchange: Exchange, access: RouteAccess, params: Params): Caller | Promise<Caller> {
    if (access.kind === 'open') return new NobodyCaller(exchange.requestId);
    const session = this.#authenticate(exchange);
    if (session instanceof Promise) return session.then((found) => this.#admit(exchange, access, params, found));
    return this.#admit(exchange, access, params, session);
  }

  require(caller: Caller, thing: RuledThing, capability: Capability): void | Promise<void> {
    caller.required.push({ thing, capability });
    return this.#decide(caller, thing, capability);
  }

  #decide(caller: Caller, thing: RuledThing, capability: Capability): void | Promise<void> {
    const list = this.#options.lists.peek(caller, thing);
    const decision = list && decide(caller.session.requester, list, capability);
    if (list !== undefined && decision !== undefined && passes(decision, thing) && !isGone(list, capability)) {
      caller.allowedBy = decision.reason;
      return;
    }
    return this.#requireFresh(caller, thing, capability);
  }

  requireScope(caller: Caller, capability: Capability): void | Promise<void> {
    if (hasCapability(caller.session.requester.tokenScope, capability)) return;
    return this.#refuse(caller, { kind: 'org' }, capability, 'outside_scope').then(() => {
      throw forbidden(capability);
    });
  }

  noteRead(caller: Caller, read: NotedRead): void | Promise<void> {
    const { rates } = this.#options;
    if (rates === undefined || read.bytes === 0) return this.#noteRead(caller, read);
    return rates.takeBytes(caller.session.account, read.bytes).then(() => this.#noteRead(caller, read));
  }

  noteListing(caller: Caller, { action, list, folderId }: NotedListing): void | Promise<void> {
    const thing: RuledThing = folderId === undefined ? { kind: 'org' } : { kind: 'folder', folderId };
    const deed = { ...deedOf(caller, thing, action), detail: { list } };
    return this.#options.windows.note(contextOf(caller, 'allowed', caller.allowedBy), deed, 0);
  }

  async findAllowed(caller: Caller, documentIds: readonly DocumentId[], capability: Capability): Promise<DocumentId | undefined> {
    const { lists, clock } = this.#options;
    const known = documentIds.map((documentId) => lists.peek(caller, { kind: 'document', documentId }));
    const at = findAllowing(caller, known, capability);
    if (at !== undefined) return documentIds[at];
    // As many statements whether there are documents or none.
    const asked = documentIds.length === 0 ? [newId<DocumentId>(clock)] : documentIds;
    const found = await Promise.all(asked.map((documentId) => lists.load(caller, { kind: 'document', documentId })));
    return documentIds[findAllowing(caller, found, capability) ?? -1];
  }

  async refuseBlob(caller: Caller, key: BlobKey): Promise<never> {
    await this.#noteDenied(caller, { action: 'blob.read', resource: { kind: 'blob', id: key } }, 'nothing_allows');
    throw new QuasarError('blob_not_found', { op: 'blob.get' });
  }

  async mayObserve(exchange: Exchange): Promise<boolean> {
    if (exchange.header('authorization') === undefined) return false;
    try {
      const session = await this.#authenticate(exchange);
      const caller = new RequestCaller(session, exchange.requestId, this.#options.clock);
      return hasCapability(await this.capabilitiesOn(caller, { kind: 'org' }), 'observability.read');
    } catch (error) {
      // Without its database the server cannot know who asks; that it is not ready is told to everybody.
      if (isQuasarError(error) && error.kind === 'unavailable') return false;
      throw error;
    }
  }

  async capabilitiesOn(caller: Caller, thing: RuledThing): Promise<CapabilitySet> {
    const list = await this.#find(caller, thing);
    return list === undefined ? noCapabilities : effectiveOn(caller.session.requester, list);
  }

  async readable(caller: Caller, things: readonly RuledThing[]): Promise<boolean[]> {
    const found = await Promise.all(things.map((thing) => this.#find(caller, thing)));
    return found.map(
      (list) => list !== undefined && !list.disposed && hasCapability(effectiveOn(caller.session.requester, list), 'doc.read'),
    );
  }

  async explain(caller: Caller, thing: RuledThing, principalId: PrincipalId, action: Capability): Promise<Explanation> {
    const [list, known] = await Promise.all([
      this.#options.lists.load(caller, thing),
      this.#options.principals.loadRequester(caller, principalId),
    ]);
    if (list === undefined) throw missing(thing);
    if (known === undefined) throw new QuasarError('principal_not_found', { op: OP });
    const requester = { ...known.requester, tokenScope: withinOrg(allCapabilities, caller.orgId, this.#options.operatorOrgId) };
    const explanation = explain(requester, list, action);
    if (!explanation.decision.allowed || passes(explanation.decision, thing)) return explanation;
    return explainHidden(explanation, explain(requester, list, 'doc.read'));
  }

  changed(orgId: OrgId): void {
    this.#options.epochs.changedOrg(orgId);
  }

  #authenticate(exchange: Exchange): Session | Promise<Session> {
    return this.#options.authenticator.authenticate(exchange.header('authorization'), exchange.requestId);
  }

  #admit(exchange: Exchange, access: RouteAccess, params: Params, session: Session): Caller | Promise<Caller> {
    const caller = new RequestCaller(session, exchange.requestId, this.#options.clock);
    caller.confirm = () => this.#confirm(exchange, caller);
    exchange.confirm = caller.confirm;
    const limited = this.#takeRates(exchange, session);
    const admitted =
      limited === undefined
        ? this.#requireRoute(exchange, access, params, caller)
        : limited.then(() => this.#requireRoute(exchange, access, params, caller));
    return admitted === undefined ? caller : admitted.then(() => caller);
  }

  /** The credential first: whoever was suspended meanwhile, or whose key was revoked, is nobody any more. */
  #confirm(exchange: Exchange, caller: Caller): void | Promise<void> {
    const session = this.#authenticate(exchange);
    if (session instanceof Promise) return session.then((found) => this.#decideAgain(caller, found));
    return this.#decideAgain(caller, session);
  }

  #decideAgain(caller: Caller, session: Session): void | Promise<void> {
    const { requestId, required } = caller;
    const now = session === caller.session ? caller : new RequestCaller(session, requestId, this.#options.clock);
    const open = required.map(({ thing, capability }) => this.#decide(now, thing, capability));
    const waiting = open.filter((one) => one !== undefined);
    return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => undefined);
  }

  #takeRates({ bodySize }: Exchange, { account }: Session): Promise<void> | undefined {
    const { rates } = this.#options;
    if (rates === undefined) return undefined;
    if (bodySize === undefined && rates.limitsBytes) throw new QuasarError('length_required', { op: OP });
    const taken = rates.takeRequest(account);
    return bodySize === undefined || bodySize === 0 ? taken : taken.then(() => rates.takeBytes(account, bodySize));
  }

  #requireRoute(exchange: Exchange, access: RouteAccess, params: Params, caller: Caller): void | Promise<void> {
    const thing = thingOf(access, params);
    if (thing === undefined || !('capability' in access)) return;
    const { capability } = access;
    const allowed = this.require(caller, thing, capability);
    // What changes something notes it with the change, and readers of documents say which version they read.
    const noted = thing.kind === 'document' && (capability === 'doc.read' || capability === 'blob.read');
    if (noted || (exchange.method !== 'GET' && exchange.method !== 'HEAD')) return allowed;
    const note = () =>
      this.#options.windows.note(contextOf(caller, 'allowed', caller.allowedBy), deedOf(caller, thing, capability), 0);
    return allowed === undefined ? note() : allowed.then(note);
  }

  /** What was found in memory does not allow it, or nothing was. */
  async #requireFresh(caller: Caller, thing: RuledThing, capability: Capability): Promise<void> {
    const list = await this.#options.lists.load(caller, thing);
    const decision = list && decide(caller.session.requester, list, capability);
    if (list !== undefined && decision !== undefined && passes(decision, thing)) {
      if (isGone(list, capability)) {
        await this.#refuse(caller, thing, capability, 'disposed');
        throw new QuasarError('document_disposed', { op: OP });
      }
      caller.allowedBy = decision.reason;
      return;
    }
    // What is allowed and yet refused is hidden: the reason is why it may not be read.
    const decisive = list && decision?.allowed ? decide(caller.session.requester, list, 'doc.read') : decision;
    await this.#refuse(caller, thing, capability, decisive?.reason ?? 'nothing_allows');
    throw decision === undefined || (decision.hidden && thing.kind !== 'org') ? missing(thing) : forbidden(capability);
  }

  async #find(scope: Scope, thing: RuledThing): Promise<FoundAccessList | undefined> {
    return this.#options.lists.peek(scope, thing) ?? this.#options.lists.load(scope, thing);
  }

  #noteRead(caller: Caller, { action, documentId, versionId, bytes }: NotedRead): void | Promise<void> {
    const version = versionId === undefined ? {} : { version: versionId };
    const deed = { action, resource: { kind: 'document', id: documentId, ...version } } as const;
    return this.#options.windows.note(contextOf(caller, 'allowed', caller.allowedBy), deed, bytes);
  }

  async #refuse(caller: Caller, thing: RuledThing, capability: Capability, reason: Refusal): Promise<void> {
    await this.#noteDenied(caller, deedOf(caller, thing, capability), reason);
  }

  async #noteDenied(caller: Caller, deed: Deed, reason: Refusal): Promise<void> {
    await this.#options.windows.note(contextOf(caller, 'denied', reason), deed, 0);
  }
}

/** Of a document that was disposed of only its rules and their history are told. */
function isGone({ disposed }: FoundAccessList, capability: Capability): boolean {
  return disposed && capability !== 'acl.admin';
}

/** The place of the first that allows it. */
function findAllowing(
  caller: Caller,
  found: readonly (FoundAccessList | undefined)[],
  capability: Capability,
): number | undefined {
  for (const [index, list] of found.entries()) {
    const decision = list && decide(caller.session.requester, list, capability);
    if (decision === undefined || !decision.allowed || decision.hidden || list?.disposed) continue;
    caller.allowedBy = decision.reason;
    return index;
  }
  return undefined;
}

/** Nobody does anything to what they may not read; that an org is there is no secret. */
function passes({ allowed, hidden }: Decision, thing: RuledThing): boolean {
  return allowed && (!hidden || thing.kind === 'org');
}

function thingOf(access: RouteAccess, params: Params): RuledThing | undefined {
  switch (access.kind) {
    case 'org':
      return { kind: 'org' };
    case 'document':
      return { kind: 'document', documentId: parseId<DocumentId>(params.documentId as string, 'documentId') };
    case 'folder':
      return { kind: 'folder', folderId: parseId<FolderId>(params.folderId as string, 'folderId') };
    default:
      return undefined;
  }
}

function deedOf({ orgId }: Scope, thing: RuledThing, capability: Capability): Deed {
  const id = thing.kind === 'document' ? thing.documentId : thing.kind === 'folder' ? thing.folderId : orgId;
  return { action: capability, resource: { kind: thing.kind, id } };
}

function missing(thing: RuledThing): QuasarError {
  return new QuasarError(thing.kind === 'folder' ? 'folder_not_found' : 'document_not_found', { op: OP });
}

function forbidden(capability: Capability): QuasarError {
  return new QuasarError('forbidden', { op: OP, details: { capability } });
}

const OP = 'http.gate';
