import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { connectionsWithin, parseDescriptorLimit } from '../../../src/roles/connection-count.ts';

const config = {
  http: { connectionsMax: 4096 },
  database: { poolSize: limits.databasePoolSize },
} as Parameters<typeof connectionsWithin>[1];

t.test('connections get what is left of the descriptors beside disk and database', async (t) => {
  t.equal(connectionsWithin(300, config), 300 - limits.descriptorsReserved);
  t.equal(connectionsWithin(1_048_576, config), 4096);
  t.equal(connectionsWithin(Number.MAX_SAFE_INTEGER, config), 4096);
  const largePool = { ...config, database: { ...config.database, poolSize: limits.databasePoolSize + 20 } };
  t.equal(connectionsWithin(1024, largePool), connectionsWithin(1024, config) - 20);
});

t.test('a limit that leaves too few connections ends the start, and says what to do', async (t) => {
  const few = limits.descriptorsReserved + limits.httpConnectionsMin - 1;
  t.throws(() => connectionsWithin(few, config), { code: 'config_invalid', message: /LimitNOFILE/ });
  t.equal(connectionsWithin(few + 1, config), limits.httpConnectionsMin);
});

t.test('the limit is the soft one, and a low one where nothing can be read', async (t) => {
  const text =
    'Limit                     Soft Limit           Hard Limit           Units\nMax open files            300                  1000                 files\n';
  t.equal(parseDescriptorLimit(text), 300);
  t.equal(
    parseDescriptorLimit('Max open files            unlimited            unlimited            files\n'),
    Number.MAX_SAFE_INTEGER,
  );
  t.equal(parseDescriptorLimit(''), 1024);
});
