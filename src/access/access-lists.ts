import { BatchQueue } from '../core/batch-queue.ts';
import type { DocumentId, Scope } from '../core/ids.ts';
import { LeastRecentlyUsed } from '../core/least-recently-used.ts';
import { limits } from '../core/limits.ts';
import type { AccessEpochs } from './access-epochs.ts';
import type { FoundAccessList, RuledThing, RuleStore } from './rule-store.ts';

interface QueuedLoad {
  readonly scope: Scope;
  readonly documentId: DocumentId;
  resolve(list: FoundAccessList | undefined): void;
  reject(error: unknown): void;
}

interface Kept {
  readonly list: FoundAccessList;
  readonly since: Since;
}

/** The epochs it was loaded under. */
interface Since {
  readonly rules: number;
  readonly documents: number;
}

/**
 * The rules that have a say about things, remembered until rules of the org, or the document, change. What is absent is never remembered, so
 * that asking for it takes the statement it takes to find that something is hidden.
 */
export class AccessLists {
  readonly #rules: RuleStore;
  readonly #epochs: AccessEpochs;
  readonly #queue = new BatchQueue<QueuedLoad>({
    lanes: limits.accessListLanes,
    take: takeLoads,
    run: (batch) => this.#loadBatch(batch),
  });
  readonly #kept = new LeastRecentlyUsed<Kept>(limits.accessListsMax);

  constructor(rules: RuleStore, epochs: AccessEpochs) {
    this.#rules = rules;
    this.#epochs = epochs;
  }

  /** Undefined when it is not in memory, or no longer good. */
  peek(scope: Scope, thing: RuledThing): FoundAccessList | undefined {
    const key = keyOf(scope, thing);
    const kept = this.#kept.get(key);
    if (kept === undefined || !this.#epochs.listening) return undefined;
    if (this.#isGood(scope, thing, kept.since)) return kept.list;
    this.#kept.delete(key);
    return undefined;
  }

  /** As it stands now. Undefined: there is no such thing. Documents that are asked for at the same time share a statement. */
  async load(scope: Scope, thing: RuledThing): Promise<FoundAccessList | undefined> {
    if (thing.kind === 'document') return this.#loadDocument(scope, thing.documentId);
    const since = this.#now;
    const list = await this.#rules.loadAccessList(scope, thing);
    this.#keep(keyOf(scope, thing), list, since);
    return list;
  }

  #loadDocument(scope: Scope, documentId: DocumentId): Promise<FoundAccessList | undefined> {
    return new Promise((resolve, reject) => this.#queue.add({ scope, documentId, resolve, reject }));
  }

  async #loadBatch(batch: readonly QueuedLoad[]): Promise<void> {
    const [first] = batch as readonly [QueuedLoad];
    const since = this.#now;
    try {
      const ids = batch.map(({ documentId }) => documentId);
      const lists = await this.#rules.loadAccessLists(first.scope, ids);
      for (const { scope, documentId, resolve } of batch) {
        const list = lists.get(documentId);
        this.#keep(keyOf(scope, { kind: 'document', documentId }), list, since);
        resolve(list);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  get #now(): Since {
    return { rules: this.#epochs.rules.now, documents: this.#epochs.documents.now };
  }

  #isGood({ orgId }: Scope, thing: RuledThing, since: Since): boolean {
    if (this.#epochs.rules.epochOf(orgId) > since.rules) return false;
    return thing.kind !== 'document' || this.#epochs.documentEpochOf(orgId, thing.documentId) <= since.documents;
  }

  #keep(key: string, list: FoundAccessList | undefined, since: Since): void {
    if (list === undefined) this.#kept.delete(key);
    else this.#kept.set(key, { list, since });
  }
}

/** Removes from the front those of one org, up to the bound. */
function takeLoads(waiting: QueuedLoad[]): QueuedLoad[] {
  const orgId = waiting[0]?.scope.orgId;
  let count = 0;
  while (count < limits.accessListBatchMax && count < waiting.length && waiting[count]?.scope.orgId === orgId) count += 1;
  return waiting.splice(0, count);
}

function keyOf(scope: Scope, thing: RuledThing): string {
  switch (thing.kind) {
    case 'document':
      return `${scope.orgId} ${thing.documentId}`;
    case 'folder':
      return `${scope.orgId} folder ${thing.folderId}`;
    case 'org':
      return scope.orgId;
  }
}
