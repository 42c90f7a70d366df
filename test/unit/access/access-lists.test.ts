import t from 'tap';
import { documentClassOf } from '../../../src/access/access-change.ts';
import { AccessEpochs } from '../../../src/access/access-epochs.ts';
import { AccessLists } from '../../../src/access/access-lists.ts';
import type { FoundAccessList, RuledThing, RuleStore } from '../../../src/access/rule-store.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type DocumentId, type FolderId, newId, type OrgId, type PrincipalId, type Scope } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';

const scope: Scope = { orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) };
const other: Scope = { ...scope, orgId: newId<OrgId>(systemClock) };
const org: RuledThing = { kind: 'org' };

function newDocument(): RuledThing & { readonly kind: 'document' } {
  return { kind: 'document', documentId: newId<DocumentId>(systemClock) };
}

function listOf({ orgId }: Scope): FoundAccessList {
  return { version: 'v', orgId, places: [], disposed: false };
}

/** Rules of which all documents exist but those in `absent`. */
class Rules {
  readonly epochs = new AccessEpochs();
  readonly lists: AccessLists;
  readonly absent = new Set<DocumentId>();
  /** The things each statement asked for. */
  readonly asked: string[][] = [];
  meanwhile: () => void = () => undefined;
  failure: Error | undefined;

  constructor() {
    this.epochs.listening = true;
    const store: Partial<RuleStore> = {
      loadAccessList: async (by, thing) => this.#answer(by, [thing.kind], () => listOf(by)),
      loadAccessLists: async (by, ids) =>
        this.#answer(
          by,
          ids,
          () =>
            new Map(ids.filter((id) => !this.absent.has(id)).map((id) => [id, listOf(by)])) as ReadonlyMap<
              DocumentId,
              FoundAccessList
            >,
        ),
    };
    this.lists = new AccessLists(store as RuleStore, this.epochs);
  }

  #answer<T>(by: Scope, things: readonly string[], answer: () => T): T {
    this.asked.push([by.orgId, ...things]);
    this.meanwhile();
    if (this.failure !== undefined) throw this.failure;
    return answer();
  }
}

t.test('what was loaded is in memory until rules of its org change', async (t) => {
  const rules = new Rules();
  const things: RuledThing[] = [newDocument(), { kind: 'folder', folderId: newId<FolderId>(systemClock) }, org];
  for (const thing of things) {
    t.equal(rules.lists.peek(scope, thing), undefined);
    const list = await rules.lists.load(scope, thing);
    t.equal(rules.lists.peek(scope, thing), list, thing.kind);
    t.equal(rules.lists.peek(other, thing), undefined, 'of another org nothing is known');
    rules.epochs.changed({ orgId: other.orgId, kind: 'rules' });
    rules.epochs.changed({ orgId: scope.orgId, kind: 'principal' });
    t.equal(rules.lists.peek(scope, thing), list, 'what is no rule of its org changes nothing');
    rules.epochs.changed({ orgId: scope.orgId, kind: thing.kind === 'folder' ? 'folder' : 'rules' });
    t.equal(rules.lists.peek(scope, thing), undefined);
  }
});

t.test('a document that is placed or disposed of is loaded again, and no other place is', async (t) => {
  const rules = new Rules();
  const [placed, ...others] = Array.from({ length: 50 }, newDocument);
  const folder: RuledThing = { kind: 'folder', folderId: newId<FolderId>(systemClock) };
  const documentClass = documentClassOf((placed as (typeof others)[0]).documentId);
  const outside = others.filter(({ documentId }) => documentClassOf(documentId) !== documentClass);
  const things = [placed as RuledThing, folder, org, ...outside];
  const identities = rules.epochs.identities.epochOf(scope.orgId);
  await Promise.all(things.map((thing) => rules.lists.load(scope, thing)));
  for (let round = 0; round < 10; round++) {
    rules.epochs.changed({ orgId: scope.orgId, kind: 'document', documentClass });
    t.strictSame(
      things.filter((thing) => rules.lists.peek(scope, thing) === undefined),
      [placed],
    );
    await rules.lists.load(scope, placed as RuledThing);
  }
  t.equal(rules.epochs.identities.epochOf(scope.orgId), identities, 'nor is anybody looked up again');
  rules.epochs.changed({ orgId: other.orgId, kind: 'document', documentClass });
  t.ok(rules.lists.peek(scope, placed as RuledThing), 'of another org: nothing');
});

t.test('a document that is placed while it is loaded is not remembered', async (t) => {
  const rules = new Rules();
  const thing = newDocument();
  const documentClass = documentClassOf(thing.documentId);
  rules.meanwhile = () => rules.epochs.changed({ orgId: scope.orgId, kind: 'document', documentClass });
  t.ok(await rules.lists.load(scope, thing));
  t.equal(rules.lists.peek(scope, thing), undefined);
});

t.test('nothing in memory is good while changes may not be heard of', async (t) => {
  const rules = new Rules();
  const thing = newDocument();
  await rules.lists.load(scope, thing);
  rules.epochs.listening = false;
  t.equal(rules.lists.peek(scope, thing), undefined);
});

t.test('what is absent is never remembered, and forgotten when it was there', async (t) => {
  const rules = new Rules();
  const thing = newDocument();
  await rules.lists.load(scope, thing);
  rules.absent.add(thing.documentId);
  t.equal(await rules.lists.load(scope, thing), undefined);
  t.equal(rules.lists.peek(scope, thing), undefined);
  t.equal(await rules.lists.load(scope, thing), undefined);
  t.equal(rules.asked.length, 3, 'each question is a statement');
});

t.test('rules that change while they are loaded are not remembered', async (t) => {
  for (const thing of [newDocument(), org]) {
    const rules = new Rules();
    rules.meanwhile = () => rules.epochs.changed({ orgId: scope.orgId, kind: 'rules' });
    t.ok(await rules.lists.load(scope, thing));
    t.equal(rules.lists.peek(scope, thing), undefined, thing.kind);
  }
});

t.test('documents asked for in one turn share a statement up to a bound, those of another org never do', async (t) => {
  const rules = new Rules();
  const things = Array.from({ length: limits.accessListBatchMax + 1 }, newDocument);
  const missing = things[7] as (typeof things)[0];
  rules.absent.add(missing.documentId);
  const found = await Promise.all([
    ...things.map((thing) => rules.lists.load(scope, thing)),
    rules.lists.load(other, things[0] as RuledThing),
  ]);
  t.strictSame(rules.asked, [
    [scope.orgId, ...things.slice(0, limits.accessListBatchMax).map(({ documentId }) => documentId)],
    [scope.orgId, things.at(-1)?.documentId],
    [other.orgId, things[0]?.documentId],
  ]);
  t.strictSame(found.indexOf(undefined), 7);
  t.equal(found.filter((list) => list === undefined).length, 1);
  t.equal(found.at(-1)?.orgId, other.orgId);
});

t.test('a statement that fails fails those it was for, and the next one is tried', async (t) => {
  const rules = new Rules();
  const [thing, next] = [newDocument(), newDocument()];
  rules.failure = new Error('no database');
  await t.rejects(rules.lists.load(scope, thing), { message: 'no database' });
  await t.rejects(rules.lists.load(scope, org), { message: 'no database' });
  rules.failure = undefined;
  t.ok(await rules.lists.load(scope, next));
  t.equal(rules.lists.peek(scope, thing), undefined);
});

t.test('what is in memory is bounded, and what was used last stays longest', async (t) => {
  const rules = new Rules();
  const things = Array.from({ length: limits.accessListsMax }, newDocument);
  for (const thing of things) void rules.lists.load(scope, thing);
  const [first, second] = things as [RuledThing, RuledThing];
  await rules.lists.load(scope, things.at(-1) as RuledThing);
  t.ok(rules.lists.peek(scope, first));
  await rules.lists.load(scope, newDocument());
  t.ok(rules.lists.peek(scope, first));
  t.equal(rules.lists.peek(scope, second), undefined);
});
