import t from 'tap';
import { AccessEpochs } from '../../../src/access/access-epochs.ts';
import { compileRules } from '../../../src/access/access-list.ts';
import { AccessLists } from '../../../src/access/access-lists.ts';
import type { Authenticator } from '../../../src/access/authenticator.ts';
import type { PrincipalStore } from '../../../src/access/principal-store.ts';
import { RateGuard } from '../../../src/access/rate-guard.ts';
import { capabilitiesOf, type Role } from '../../../src/access/role.ts';
import type { AccessRule } from '../../../src/access/rule.ts';
import type { FoundAccessList, RuledThing, RuleStore } from '../../../src/access/rule-store.ts';
import type { Session } from '../../../src/access/session.ts';
import { type AuditEvent, decodeEvent } from '../../../src/audit/event.ts';
import { EventWindows } from '../../../src/audit/event-windows.ts';
import { EventWriter } from '../../../src/audit/event-writer.ts';
import { allCapabilities, type Capability, capabilitySet } from '../../../src/core/capability.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { parseBlobKey } from '../../../src/core/digest.ts';
import { QuasarError } from '../../../src/core/errors.ts';
import {
  type DocumentId,
  type FolderId,
  newId,
  type OrgId,
  type PrincipalId,
  type RuleId,
  type VersionId,
} from '../../../src/core/ids.ts';
import { silentLog } from '../../../src/core/log.ts';
import { AccessGate } from '../../../src/http/access-gate.ts';
import type { Caller } from '../../../src/http/caller.ts';
import { byHandler, member, onDocument, onFolder, onOrg, open, type RouteAccess } from '../../../src/http/route-access.ts';
import { MemoryRateLimiter } from '../../../src/volatile/memory-rate-limiter.ts';
import { FakeExchange } from '../../helpers/fake-exchange.ts';
import { HeldQueries } from '../../helpers/held-queries.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

const orgId = newId<OrgId>(systemClock);
const principalId = newId<PrincipalId>(systemClock);

interface Place {
  readonly rules?: readonly AccessRule[];
  readonly disposed?: boolean;
}

interface WorldOptions {
  readonly roles?: readonly Role[];
  readonly tokenScope?: readonly Capability[];
  /** At most so many requests at once, and bytes. */
  readonly requestsMax?: number;
  readonly bytesMax?: number;
}

function ruleOf(effect: AccessRule['effect'], ...actions: readonly Capability[]): AccessRule {
  return { id: newId<RuleId>(systemClock), effect, actions: capabilitySet(...actions), principals: [principalId] };
}

/** An org, somebody in it, and the documents and folders the test puts there. */
class World {
  readonly gate: AccessGate;
  readonly epochs = new AccessEpochs();
  readonly places = new Map<string, Place>();
  /** How often the database was asked for rules. */
  loads = 0;
  readonly #queries = new HeldQueries();
  readonly #windows: EventWindows;

  constructor(t: { teardown(handler: () => Promise<void>): void }, options: WorldOptions = {}) {
    const { roles = [], tokenScope, requestsMax, bytesMax } = options;
    const clock = standingClock();
    const { epochs } = this;
    epochs.listening = true;
    this.#queries.release();
    const windows = new EventWindows({ writer: new EventWriter(this.#queries), clock, log: silentLog });
    this.#windows = windows;
    t.teardown(() => windows.close());
    const requester = {
      ...{ orgId, principalId, groups: new Set<never>(), suspended: false, roleCapabilities: capabilitiesOf(roles) },
      tokenScope: tokenScope === undefined ? allCapabilities : capabilitySet(...tokenScope),
    };
    const credential = { kind: 'api_key', id: 'k' } as const;
    const session: Session = {
      orgId,
      principalId,
      kind: 'user',
      roles,
      credential,
      requester,
      account: { orgId, credential: 'c' },
    };
    const limitOf = (max: number | undefined) => (max === undefined ? undefined : { perSecond: 1, burst: max });
    const rules = {
      requestsPerCredential: limitOf(requestsMax),
      bytesPerCredential: limitOf(bytesMax),
      ...{ requestsPerOrg: undefined, bytesPerOrg: undefined },
    };
    this.gate = new AccessGate({
      authenticator: { authenticate: () => session } as Partial<Authenticator> as Authenticator,
      lists: new AccessLists(this.#rules(), epochs),
      principals: {} as PrincipalStore,
      rates: new RateGuard(new MemoryRateLimiter({ clock, keysMax: 10 }), rules),
      ...{ epochs, windows, clock, operatorOrgId: orgId, log: silentLog },
    });
  }

  addDocument(place: Place = {}): DocumentId {
    const documentId = newId<DocumentId>(systemClock);
    this.places.set(documentId, place);
    return documentId;
  }

  /** What the gate says to a request, as a status of our own: the code of what it throws, or `passed`. */
  async enter(access: RouteAccess, params: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<string> {
    try {
      await this.gate.enter(new FakeExchange({ method }), access, params);
      return 'passed';
    } catch (error) {
      if (!(error instanceof QuasarError)) throw error;
      return error.code;
    }
  }

  async caller(): Promise<Caller> {
    return this.gate.enter(new FakeExchange(), member, {});
  }

  /** All that was noted, windows closed or not. */
  get events(): AuditEvent[] {
    return this.#queries.asked.flatMap(({ values }) => (values[2] as Buffer[]).map((bytes) => decodeEvent(bytes) as AuditEvent));
  }

  get windowCount(): number {
    return this.#windows.count;
  }

  #rules(): RuleStore {
    const store: Partial<RuleStore> = {
      loadAccessList: async (_, thing) => {
        this.loads += 1;
        return this.#find(thing);
      },
      loadAccessLists: async (_, ids) => {
        this.loads += 1;
        const found = ids.map((documentId) => [documentId, this.#find({ kind: 'document', documentId })] as const);
        return new Map(found.filter((entry): entry is [DocumentId, FoundAccessList] => entry[1] !== undefined));
      },
    };
    return store as RuleStore;
  }

  #find(thing: RuledThing): FoundAccessList | undefined {
    const id = thing.kind === 'document' ? thing.documentId : thing.kind === 'folder' ? thing.folderId : 'org';
    const place = this.places.get(id) ?? (thing.kind === 'org' ? {} : undefined);
    if (place === undefined) return undefined;
    const where = thing.kind === 'folder' ? thing : ({ kind: thing.kind } as { kind: 'document' } | { kind: 'org' });
    const { rules = [], disposed = false } = place;
    return {
      version: 'v',
      orgId,
      places: [compileRules({ place: where, placeId: id === 'org' ? orgId : id, version: rules.length }, rules)],
      disposed,
    };
  }
}

t.test('an open route asks nobody who it is', async (t) => {
  const world = new World(t);
  t.equal(await world.enter(open), 'passed');
  t.equal(world.loads, 0);
});

t.test('a member passes whatever the rules say', async (t) => {
  const world = new World(t, {});
  t.equal(await world.enter(member), 'passed');
  t.equal(await world.enter(byHandler('doc.read')), 'passed');
  t.strictSame(world.events, []);
});

t.test('a document that is hidden is refused exactly as one that is absent', async (t) => {
  const world = new World(t);
  const hidden = world.addDocument({ rules: [ruleOf('allow', 'doc.write')] });
  for (const capability of ['doc.read', 'blob.read', 'doc.write', 'acl.admin', 'doc.dispose'] as const) {
    for (const documentId of [hidden, newId<DocumentId>(systemClock)]) {
      world.loads = 0;
      t.equal(await world.enter(onDocument(capability), { documentId }), 'document_not_found', capability);
      t.equal(world.loads, 1);
      t.equal(await world.enter(onDocument(capability), { documentId }), 'document_not_found', capability);
      t.equal(world.loads, 2, 'the rules of what is hidden are loaded each time');
    }
  }
});

t.test('a folder that is hidden is refused exactly as one that is absent', async (t) => {
  const world = new World(t);
  const hidden = newId<FolderId>(systemClock);
  world.places.set(hidden, {});
  for (const folderId of [hidden, newId<FolderId>(systemClock)]) {
    t.equal(await world.enter(onFolder('doc.read'), { folderId }), 'folder_not_found');
    t.equal(await world.enter(onFolder('doc.write'), { folderId }), 'folder_not_found');
  }
});

t.test('who may read a document, but not do it, is told so', async (t) => {
  const world = new World(t, { roles: ['reader'] });
  const documentId = world.addDocument();
  t.equal(await world.enter(onDocument('doc.write'), { documentId }, 'PUT'), 'forbidden');
  t.equal(await world.enter(onOrg('acl.admin')), 'forbidden', 'that there is an org is no secret');
  t.match(world.events, [
    { action: 'doc.write', outcome: 'denied', reason: 'nothing_allows', resource: { kind: 'document', id: documentId } },
    { action: 'acl.admin', outcome: 'denied', reason: 'nothing_allows', resource: { kind: 'org', id: orgId } },
  ]);
});

t.test('the scope of a credential takes away, and its refusal says so', async (t) => {
  const world = new World(t, { roles: ['clerk'], tokenScope: ['doc.read'] });
  const documentId = world.addDocument();
  t.equal(await world.enter(onDocument('doc.read'), { documentId }), 'passed');
  t.equal(await world.enter(onDocument('doc.write'), { documentId }, 'PUT'), 'forbidden');
  const caller = await world.caller();
  t.equal(world.gate.requireScope(caller, 'doc.read'), undefined);
  await t.rejects(Promise.resolve(world.gate.requireScope(caller, 'doc.write')), { code: 'forbidden' });
  t.match(
    world.events.map(({ reason, outcome, resource }) => [outcome, reason, resource.kind]),
    [
      ['denied', 'outside_scope', 'document'],
      ['denied', 'outside_scope', 'org'],
    ],
  );
  const blind = new World(t, { roles: ['clerk'], tokenScope: ['doc.write'] });
  t.equal(await blind.enter(onDocument('doc.write'), { documentId: blind.addDocument() }, 'PUT'), 'document_not_found');
});

t.test('of a document that was disposed of those who might see it are told, and that is noted', async (t) => {
  const world = new World(t, { roles: ['admin'] });
  const documentId = world.addDocument({ disposed: true });
  for (let time = 0; time < 2; time++) {
    t.equal(await world.enter(onDocument('doc.read'), { documentId }), 'document_disposed');
    t.equal(await world.enter(onDocument('doc.write'), { documentId }, 'PUT'), 'document_disposed');
  }
  t.equal(await world.enter(onDocument('acl.admin'), { documentId }), 'passed', 'what its rules were can still be told');
  t.match(
    world.events.map(({ action, outcome, reason }) => [action, outcome, reason]),
    [
      ['doc.read', 'denied', 'disposed'],
      ['doc.write', 'denied', 'disposed'],
      ['acl.admin', 'allowed', 'role_allows'],
    ],
  );
  const stranger = new World(t);
  stranger.places.set(documentId, { disposed: true });
  t.equal(await stranger.enter(onDocument('doc.read'), { documentId }), 'document_not_found');
});

t.test(
  'looking at the org, a folder or rules is noted by the gate; documents and changes are noted by whoever knows more',
  async (t) => {
    const world = new World(t, { roles: ['admin'] });
    const documentId = world.addDocument();
    const folderId = newId<FolderId>(systemClock);
    world.places.set(folderId, {});
    t.equal(await world.enter(onDocument('doc.read'), { documentId }), 'passed');
    t.equal(await world.enter(onDocument('blob.read'), { documentId }, 'HEAD'), 'passed');
    t.equal(await world.enter(onOrg('acl.admin'), {}, 'PUT'), 'passed');
    t.equal(await world.enter(onFolder('doc.write'), { folderId }, 'DELETE'), 'passed');
    t.equal(await world.enter(onDocument('acl.admin'), { documentId }, 'PUT'), 'passed');
    t.strictSame(world.events, []);
    for (let time = 0; time < 2; time++) {
      t.equal(await world.enter(onOrg('audit.read')), 'passed');
      t.equal(await world.enter(onFolder('doc.read'), { folderId }), 'passed');
      t.equal(await world.enter(onDocument('acl.admin'), { documentId }), 'passed');
    }
    t.match(
      world.events.map(({ action, outcome, reason, resource }) => [action, outcome, reason, resource.kind, resource.id]),
      [
        ['audit.read', 'allowed', 'role_allows', 'org', orgId],
        ['doc.read', 'allowed', 'role_allows', 'folder', folderId],
        ['acl.admin', 'allowed', 'role_allows', 'document', documentId],
      ],
    );
  },
);

t.test('a request whose rules are in memory and whose window is open passes without a promise', async (t) => {
  const world = new World(t, { roles: ['reader'] });
  const documentId = world.addDocument();
  const caller = await world.caller();
  const thing = { kind: 'document', documentId } as const;
  t.type(world.gate.require(caller, thing, 'blob.read'), Promise);
  await world.gate.require(caller, thing, 'blob.read');
  t.equal(world.gate.require(caller, thing, 'blob.read'), undefined);
  t.equal(caller.allowed?.reason, 'role_allows');
  world.gate.changed({ orgId, kind: 'rules' });
  t.type(world.gate.require(caller, thing, 'blob.read'), Promise);
});

t.test('a rule that came to deny holds at once, and one that came to allow does, even before anybody was told', async (t) => {
  const world = new World(t);
  const documentId = world.addDocument();
  t.equal(await world.enter(onDocument('doc.read'), { documentId }), 'document_not_found');
  world.places.set(documentId, { rules: [ruleOf('allow', 'doc.read')] });
  t.equal(await world.enter(onDocument('doc.read'), { documentId }), 'passed', 'refusals are never from memory');
  world.places.set(documentId, { rules: [ruleOf('allow', 'doc.read'), ruleOf('deny', 'doc.read')] });
  world.epochs.changed({ orgId, kind: 'rules' });
  t.equal(await world.enter(onDocument('doc.read'), { documentId }), 'document_not_found');
});

t.test('ids that are none are bad parameters', async (t) => {
  const world = new World(t);
  t.equal(await world.enter(onDocument('doc.read'), { documentId: 'x' }), 'bad_parameter');
  t.equal(await world.enter(onFolder('doc.read'), { folderId: 'x' }), 'bad_parameter');
});

t.test(
  'a blob is found by the first document that may be read, and asks the database as often whether there are any',
  async (t) => {
    const world = new World(t);
    const caller = await world.caller();
    const hidden = [world.addDocument(), world.addDocument()];
    const disposed = world.addDocument({ rules: [ruleOf('allow', 'doc.read', 'blob.read')], disposed: true });
    const open = world.addDocument({ rules: [ruleOf('allow', 'doc.read', 'blob.read')] });
    t.equal(await world.gate.findAllowed(caller, [...hidden, disposed, open], 'blob.read'), open);
    t.equal(caller.allowed?.reason, 'rule_allows');
    for (const documentIds of [[], hidden, [disposed], [newId<DocumentId>(systemClock)]]) {
      for (let time = 0; time < 2; time++) {
        world.loads = 0;
        t.equal(await world.gate.findAllowed(caller, documentIds, 'blob.read'), undefined);
        t.equal(world.loads, 1);
      }
    }
    world.loads = 0;
    t.equal(await world.gate.findAllowed(caller, [...hidden, open], 'blob.read'), open);
    t.equal(world.loads, 0, 'what is allowed is found in memory');
    const key = parseBlobKey(`b3:${'a'.repeat(64)}`);
    await t.rejects(world.gate.refuseBlob(caller, key), { code: 'blob_not_found' });
    t.match(world.events.at(-1), {
      action: 'blob.read',
      outcome: 'denied',
      reason: 'nothing_allows',
      resource: { kind: 'blob', id: key },
    });
  },
);

t.test('what may be read of many is told in their order, and notes nothing', async (t) => {
  const world = new World(t);
  const caller = await world.caller();
  const ids = [
    world.addDocument({ rules: [ruleOf('allow', 'doc.read')] }),
    world.addDocument(),
    world.addDocument({ rules: [ruleOf('allow', 'doc.read')], disposed: true }),
    newId<DocumentId>(systemClock),
    world.addDocument({ rules: [ruleOf('allow', 'doc.read')] }),
  ];
  const things = ids.map((documentId) => ({ kind: 'document', documentId }) as const);
  t.strictSame(await world.gate.readable(caller, things), [true, false, false, false, true]);
  t.equal(world.loads, 1);
  t.strictSame(world.events, []);
});

t.test('reads of one version, a list and another version are events of their own, with the bytes of the first', async (t) => {
  const world = new World(t, { roles: ['reader'] });
  const caller = await world.caller();
  const documentId = world.addDocument();
  const [one, other] = [newId<VersionId>(systemClock), newId<VersionId>(systemClock)];
  for (const versionId of [one, one, other, undefined]) {
    await world.gate.noteRead(caller, { action: 'blob.read', documentId, versionId, bytes: 7 });
  }
  await world.gate.noteListing(caller, { action: 'doc.read', list: 'documents' });
  await world.gate.noteListing(caller, { action: 'doc.read', list: 'documents' });
  t.match(
    world.events.map(({ action, resource, detail }) => [action, resource.kind, resource.version, detail]),
    [
      ['blob.read', 'document', one, { bytes: 7 }],
      ['blob.read', 'document', other, { bytes: 7 }],
      ['blob.read', 'document', undefined, { bytes: 7 }],
      ['doc.read', 'org', undefined, { list: 'documents' }],
    ],
  );
});

t.test('too many requests, or bytes, are refused before anything is decided or noted', async (t) => {
  const world = new World(t, { roles: ['reader'], requestsMax: 2 });
  const documentId = world.addDocument();
  t.equal(await world.enter(onDocument('doc.read'), { documentId }), 'passed');
  t.equal(await world.enter(onDocument('doc.read'), { documentId }), 'passed');
  const { loads } = world;
  t.equal(await world.enter(onDocument('doc.write'), { documentId }), 'rate_limited');
  t.equal(world.loads, loads);
  t.equal(world.windowCount, 0);
  const narrow = new World(t, { roles: ['reader'], bytesMax: 10 });
  const read = { action: 'blob.read', documentId, versionId: undefined } as const;
  await narrow.gate.noteRead(await narrow.caller(), { ...read, bytes: 10 });
  await t.rejects(Promise.resolve(narrow.gate.noteRead(await narrow.caller(), { ...read, bytes: 10 })), { code: 'rate_limited' });
});
