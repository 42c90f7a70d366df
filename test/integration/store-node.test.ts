import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { type NodeId, newId } from '../../src/core/ids.ts';
import { silentLog } from '../../src/core/log.ts';
import { checkNode } from '../../src/roles/check-node.ts';
import { openTestDatabase } from '../helpers/postgres.ts';

const { pool: queries, admin } = await openTestDatabase(t);
const [first, second, third] = [newId<NodeId>(systemClock), newId<NodeId>(systemClock), newId<NodeId>(systemClock)] as const;
let emptied = false;
const isEmptied = async () => emptied;
let lost = false;
const isLost = async () => lost;
const check = (id: NodeId, accepted?: string, acceptsEmpty = false) =>
  checkNode({ queries, node: { id, directory: '/srv/quasar/node' }, isEmptied, isLost, accepted, acceptsEmpty, log: silentLog });

t.test('an empty database does not begin beside a node that holds documents, unless the operator says so', async (t) => {
  lost = true;
  const refusal = { code: 'storage_incompatible', message: /database is empty.*--accept-empty-database/ };
  await t.rejects(check(first), refusal);
  await t.rejects(check(first, first), refusal, 'to accept the node says nothing of the database');
  await check(first, undefined, true);
  await check(first);
  await admin.query('DELETE FROM graviton.store_node');
  lost = false;
});

t.test('a database of an earlier version, which has documents, does not belong to a node that has none', async (t) => {
  emptied = true;
  await t.rejects(check(second), { code: 'storage_incompatible', message: /belongs to another storage node.*--accept-node/ });
  emptied = false;
});

t.test('a database belongs to the node it was first used with, and refuses others by name', async (t) => {
  await check(first);
  await check(first);
  const message = new RegExp(
    `belongs to storage node ${first}, but /srv/quasar/node holds node ${second}.*--accept-node ${second}`,
  );
  await t.rejects(check(second), { code: 'storage_incompatible', message });
  await t.rejects(check(second, third), { code: 'storage_incompatible' }, 'an acceptance is for one node');
  await t.rejects(check(second, first), { code: 'storage_incompatible' });
  await check(first, second);
  await check(first);
});

t.test('a node that an operator accepts is the one of the database from then on', async (t) => {
  await check(second, second);
  await check(second);
  await t.rejects(check(first), { code: 'storage_incompatible' });
});
