import t from 'tap';
import { CachingSchemaStore } from '../../../src/catalog/caching-schema-store.ts';
import type { SchemaStore, StoredSchema } from '../../../src/catalog/schema-store.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId } from '../../../src/core/ids.ts';
import { limits } from '../../../src/core/limits.ts';
import { actorIn } from '../../helpers/actor.ts';
import { standingClock } from '../../helpers/standing-clock.ts';

const by = actorIn({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });
const other = actorIn({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });
const urn = 'urn:quasar:schema:filing@1.0.0';

/** Counts what it is asked, and has one schema in every org. */
class CountingStore implements SchemaStore {
  asked = 0;
  state: StoredSchema['state'] = 'active';
  /** Finds wait for it. */
  gate: Promise<void> | undefined;

  async findSchema(_scope: unknown, wanted: string): Promise<StoredSchema | undefined> {
    this.asked += 1;
    const { state } = this;
    await this.gate;
    return wanted === urn
      ? { urn, namespace: 'urn:quasar:ns:core', state, body: '{}', digest: '', createdAtMs: 0, changedAtMs: 0 }
      : undefined;
  }

  async changeState(_by: unknown, { to }: { to: StoredSchema['state'] }): Promise<{ kind: 'changed' }> {
    this.state = to;
    return { kind: 'changed' };
  }

  async addSchema(): Promise<'added'> {
    return 'added';
  }

  async listSchemas(): Promise<{ items: []; next: undefined }> {
    return { items: [], next: undefined };
  }
}

function open() {
  const clock = standingClock();
  const store = new CountingStore();
  return { clock, store, cache: new CachingSchemaStore(store, clock) };
}

const revoke = { urn, from: 'active', to: 'revoked', atMs: 0 } as const;

t.test('a schema is looked up once within its time, for each org', async (t) => {
  const { clock, store, cache } = open();
  await cache.findSchema(by, urn);
  t.match(await cache.findSchema(by, urn), { urn, state: 'active' });
  t.equal(store.asked, 1);
  await cache.findSchema(other, urn);
  t.equal(store.asked, 2);
  clock.advance(limits.schemaCacheMs);
  store.state = 'revoked';
  t.match(await cache.findSchema(by, urn), { state: 'revoked' });
});

t.test('what this process changes it sees at once, also when it was asking meanwhile', async (t) => {
  const { store, cache } = open();
  await cache.findSchema(by, urn);
  await cache.changeState(by, revoke);
  t.match(await cache.findSchema(by, urn), { state: 'revoked' });

  const late = open();
  let release = () => {};
  late.store.gate = new Promise((resolve) => {
    release = resolve;
  });
  const asking = late.cache.findSchema(by, urn);
  await late.cache.changeState(by, revoke);
  release();
  t.match(await asking, { state: 'active' });
  late.store.gate = undefined;
  t.match(await late.cache.findSchema(by, urn), { state: 'revoked' });
  t.equal(store.asked, 2);
});

t.test('what is absent is asked for again', async (t) => {
  const { store, cache } = open();
  t.equal(await cache.findSchema(by, 'urn:other'), undefined);
  t.equal(await cache.findSchema(by, 'urn:other'), undefined);
  t.equal(store.asked, 2);
});
