import t from 'tap';
import { CachingCatalog } from '../../src/catalog/caching-catalog.ts';
import { systemClock } from '../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId } from '../../src/core/ids.ts';
import { actorIn } from '../helpers/actor.ts';
import { MemoryCatalog } from '../helpers/memory-catalog.ts';
import { MemoryDisposals } from '../helpers/memory-disposals.ts';
import { MemoryMetadata } from '../helpers/memory-metadata.ts';
import { notedInMemory } from '../helpers/noted-events.ts';
import { catalogContract } from './catalog.contract.ts';
import { clockOrderContract } from './clock-order.contract.ts';
import { labelStoreContract } from './label-store.contract.ts';

const scopeOf = () => actorIn({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });

t.test('the catalog of unit tests', async (t) => {
  const catalog = new MemoryCatalog(systemClock.now);
  const noted = notedInMemory(catalog);
  clockOrderContract(t, { catalog, committer: catalog, scope: scopeOf() });
  catalogContract(t, { catalog, committer: catalog, scope: scopeOf(), stranger: scopeOf(), noted });
  labelStoreContract(t, { labels: catalog, committer: catalog, scope: scopeOf(), stranger: scopeOf(), noted });
});

t.test('a catalog that remembers what it was asked', async (t) => {
  const behind = new MemoryCatalog(systemClock.now);
  const catalog = new CachingCatalog({
    catalog: behind,
    committer: behind,
    labels: behind,
    metadata: new MemoryMetadata(),
    disposals: new MemoryDisposals(),
    entriesMax: 50,
  });
  const noted = notedInMemory(behind);
  clockOrderContract(t, { catalog, committer: catalog, scope: scopeOf() });
  catalogContract(t, { catalog, committer: catalog, scope: scopeOf(), stranger: scopeOf(), noted });
  labelStoreContract(t, { labels: catalog, committer: catalog, scope: scopeOf(), stranger: scopeOf(), noted });
});
