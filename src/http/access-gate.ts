import type { AccessChange } from '../access/access-change.ts';
import type { AccessEpochs } from '../access/access-epochs.ts';
import type { AccessList } from '../access/access-list.ts';
import type { AccessLists } from '../access/access-lists.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { type Decision, decide, effectiveOn } from '../access/decide.ts';
import { explain, explainHidden } from '../access/explain.ts';
import { type NarrowedExplanation, narrowExplanation } from '../access/narrowed-explanation.ts';
import { type Decided, notedDecision } from '../access/noted-decision.ts';
import { withinOrg } from '../access/operators-only.ts';
import type { PrincipalStore } from '../access/principal-store.ts';
import type { RateGuard } from '../access/rate-guard.ts';
import type { FoundAccessList, RuledThing } from '../access/rule-store.ts';
import type { Session } from '../access/session.ts';
import type { EventWindows } from '../audit/event-windows.ts';
import type { Deed } from '../core/actor.ts';
import { auditDetail } from '../core/audit-detail.ts';
import { type Capability, type CapabilitySet, hasCapability, noCapabilities } from '../core/capability.ts';
import type { Clock } from '../core/clock.ts';
import type { BlobKey } from '../core/digest.ts';
import { type ErrorKind, isQuasarError, QuasarError } from '../core/errors.ts';
import { type DocumentId, type FolderId, newId, type OrgId, parseId, type Scope } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import { type Allowed, allowedContextOf, type Caller, contextOf, NobodyCaller, RequestCaller } from './caller.ts';
import type { Exchange } from './edge.ts';
import type { AccessQuestion, Gate, NotedListing, NotedRead } from './gate-port.ts';
import { statusOf } from './problem.ts';
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
  readonly log: Log;
}

/** A change that was allowed to be tried. */
export interface FailedChange {
  /** Method and route. */
  readonly request: string;
  readonly error: QuasarError;
}

interface Refusal {
  readonly thing: RuledThing;
  /** What was asked for. */
  readonly capability: Capability;
  readonly list: FoundAccessList | undefined;
  /** Undefined: there is no such thing. */
  readonly decision: Decision | undefined;
  /** The capability that was decisive, when it is another one. */
  readonly decisive?: Capability | undefined;
  readonly reason?: 'disposed';
}

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
    if (access.kind === 'open') return new NobodyCaller(exchange);
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
      caller.allowed = allowedOf(caller, { thing, list, capability, decision });
      return;
    }
    return this.#requireFresh(caller, thing, capability);
  }

  requireScope(caller: Caller, capability: Capability): void | Promise<void> {
    if (hasCapability(caller.session.requester.tokenScope, capability)) {
      caller.scoped = capability;
      return;
    }
    const refused = this.#noteDenied(caller, deedOf(caller, { kind: 'org' }, capability), {
      ...{ capability, reason: 'outside_scope', decidedBy: 'scope', roles: caller.session.roles },
    });
    return refused.then(() => {
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
    return this.#options.windows.note(allowedContextOf(caller), deed, 0);
  }

  async findAllowed(caller: Caller, documentIds: readonly DocumentId[], capability: Capability): Promise<DocumentId | undefined> {
    const { lists, clock } = this.#options;
    const known = documentIds.map((documentId) => lists.peek(caller, { kind: 'document', documentId }));
    const at = findAllowing(caller, documentIds, known, capability);
    if (at !== undefined) return documentIds[at];
    // As many statements whether there are documents or none.
    const asked = documentIds.length === 0 ? [newId<DocumentId>(clock)] : documentIds;
    const found = await Promise.all(asked.map((documentId) => lists.load(caller, { kind: 'document', documentId })));
    return documentIds[findAllowing(caller, asked, found, capability) ?? -1];
  }

  async refuseBlob(caller: Caller, key: BlobKey): Promise<never> {
    const decided = { capability: 'blob.read', reason: 'nothing_allows', roles: caller.session.roles } as const;
    await this.#noteDenied(caller, { action: 'blob.read', resource: { kind: 'blob', id: key } }, decided);
    throw new QuasarError('blob_not_found', { op: 'blob.get' });
  }

  async noteFailed(caller: Caller, { request, error }: FailedChange): Promise<void> {
    const { allowed, scoped } = caller;
    const capability = allowed?.capability ?? scoped;
    if (capability === undefined || caller.refused || error.code === 'cancelled') return;
    const thing: RuledThing = allowed?.thing ?? { kind: 'org' };
    const deed = { ...deedOf(caller, thing, capability), detail: auditDetail({ request, status: statusOf(error.code) }) };
    const noted = this.#options.windows.note(contextOf(caller, 'failed', error.code, allowed && notedDecision(allowed)), deed, 0);
    if (!OURS.has(error.kind)) {
      await noted;
      return;
    }
    // What is wrong here is told whether it can be noted or not, and without waiting for a database that may be what is wrong.
    Promise.resolve(noted).catch((cause) => this.#options.log.warn({ error: cause, request }, 'a failed change was not noted'));
  }

  async mayObserve(exchange: Exchange): Promise<boolean> {
    if (exchange.header('authorization') === undefined) return false;
    try {
      const session = await this.#authenticate(exchange);
      const caller = new RequestCaller(session, exchange, this.#options.clock);
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

  async explain(caller: Caller, thing: RuledThing, question: AccessQuestion): Promise<NarrowedExplanation> {
    const { principalId, action, credential, scope } = question;
    const [list, known] = await Promise.all([
      this.#options.lists.load(caller, thing),
      this.#options.principals.loadRequester(caller, principalId),
    ]);
    if (list === undefined) throw missing(thing);
    if (known === undefined) throw new QuasarError('principal_not_found', { op: OP });
    const requester = { ...known.requester, tokenScope: withinOrg(scope, caller.orgId, this.#options.operatorOrgId) };
    const explanation = explain(requester, list, action, credential);
    const hidden = explanation.decision.allowed && !passes(explanation.decision, thing);
    const whole = hidden ? explainHidden(explanation, explain(requester, list, 'doc.read', credential)) : explanation;
    return narrowExplanation(whole, { asker: caller.session.requester, about: requester, list, action });
  }

  changed(change: AccessChange): void {
    this.#options.epochs.changed(change);
  }

  #authenticate(exchange: Exchange): Session | Promise<Session> {
    return this.#options.authenticator.authenticate(exchange.header('authorization'), exchange);
  }

  #admit(exchange: Exchange, access: RouteAccess, params: Params, session: Session): Caller | Promise<Caller> {
    exchange.asker = { principalId: session.principalId, credentialId: session.credential.id };
    const caller = new RequestCaller(session, exchange, this.#options.clock);
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
    const now = session === caller.session ? caller : new RequestCaller(session, caller, this.#options.clock);
    const open = caller.required.map(({ thing, capability }) => this.#decide(now, thing, capability));
    // What was decided now is what events tell.
    const adopt = (): void => {
      caller.allowed = now.allowed ?? caller.allowed;
      caller.refused ||= now.refused;
    };
    const waiting = open.filter((one) => one !== undefined);
    return waiting.length === 0
      ? adopt()
      : Promise.all(waiting)
          .then(() => undefined)
          .finally(adopt);
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
    const note = () => this.#options.windows.note(allowedContextOf(caller), deedOf(caller, thing, capability), 0);
    return allowed === undefined ? note() : allowed.then(note);
  }

  /** What was found in memory does not allow it, or nothing was. */
  async #requireFresh(caller: Caller, thing: RuledThing, capability: Capability): Promise<void> {
    const list = await this.#options.lists.load(caller, thing);
    const decision = list && decide(caller.session.requester, list, capability);
    if (list !== undefined && decision !== undefined && passes(decision, thing)) {
      if (isGone(list, capability)) {
        await this.#refuse(caller, { thing, capability, list, decision, reason: 'disposed' });
        throw new QuasarError('document_disposed', { op: OP });
      }
      caller.allowed = allowedOf(caller, { thing, list, capability, decision });
      return;
    }
    // What is allowed and yet refused is hidden: the reason is why it may not be read.
    const unreadable = list !== undefined && decision?.allowed ? decide(caller.session.requester, list, 'doc.read') : undefined;
    await this.#refuse(caller, { thing, capability, list, decision: unreadable ?? decision, decisive: unreadable && 'doc.read' });
    throw decision === undefined || (decision.hidden && thing.kind !== 'org') ? missing(thing) : forbidden(capability);
  }

  async #find(scope: Scope, thing: RuledThing): Promise<FoundAccessList | undefined> {
    return this.#options.lists.peek(scope, thing) ?? this.#options.lists.load(scope, thing);
  }

  #noteRead(caller: Caller, { action, documentId, versionId, bytes }: NotedRead): void | Promise<void> {
    const version = versionId === undefined ? {} : { version: versionId };
    const deed = { action, resource: { kind: 'document', id: documentId, ...version } } as const;
    return this.#options.windows.note(allowedContextOf(caller), deed, bytes);
  }

  async #refuse(caller: Caller, { thing, capability, list, decision, decisive, reason }: Refusal): Promise<void> {
    await this.#noteDenied(caller, deedOf(caller, thing, capability), {
      capability: decisive ?? capability,
      reason: reason ?? decision?.reason ?? 'nothing_allows',
      ...(decision === undefined ? {} : { decidedBy: decision.decidedBy }),
      ...{ list, roles: caller.session.roles },
    });
  }

  async #noteDenied(caller: Caller, deed: Deed, decided: Decided): Promise<void> {
    caller.refused = true;
    await this.#options.windows.note(contextOf(caller, 'denied', decided.reason, notedDecision(decided)), deed, 0);
  }
}

/** Of a document that was disposed of only its rules and their history are told. */
function isGone({ disposed }: FoundAccessList, capability: Capability): boolean {
  return disposed && capability !== 'acl.admin';
}

function allowedOf(
  caller: Caller,
  { thing, list, capability, decision }: { thing: RuledThing; list: AccessList; capability: Capability; decision: Decision },
): Allowed {
  const { reason, decidedBy } = decision;
  return { thing, capability, reason, decidedBy, list, roles: caller.session.roles };
}

/** The place of the first that allows it. */
function findAllowing(
  caller: Caller,
  documentIds: readonly DocumentId[],
  found: readonly (FoundAccessList | undefined)[],
  capability: Capability,
): number | undefined {
  for (const [index, list] of found.entries()) {
    const decision = list && decide(caller.session.requester, list, capability);
    if (decision === undefined || !decision.allowed || decision.hidden || list?.disposed) continue;
    const documentId = documentIds[index] as DocumentId;
    const thing = { kind: 'document', documentId } as const;
    if (list !== undefined) caller.allowed = allowedOf(caller, { thing, list, capability, decision });
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

const OURS: ReadonlySet<ErrorKind> = new Set(['internal', 'corrupt', 'unavailable', 'full']);
const OP = 'http.gate';
