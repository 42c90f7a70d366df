import t from 'tap';
import { choosePeers, peerKinds } from '../../../../bench/peers/all.ts';

t.test('a peer that nobody knows is refused, and the others are named', async (t) => {
  await t.rejects(choosePeers(['minio', 'ceph']), { message: /^no such peer: ceph; there are minio, / });
});

t.test('each peer is here with a version, or told to be missing and how to have it', async (t) => {
  const { kinds, versions, skipped } = await choosePeers('all');
  t.equal(kinds.length + skipped.length, peerKinds.length);
  t.same(
    kinds.map(({ name }) => name),
    Object.keys(versions),
  );
  for (const line of skipped) t.match(line, /^[a-z-]+ is left out: it is not here \(.+\)$/);
});

t.test('no two settings have one name', async (t) => {
  const names = peerKinds.flatMap(({ settings }) => settings.map(({ name }) => name));
  t.equal(new Set(names).size, names.length);
});

t.test('no peer is asked when none is wanted', async (t) => {
  t.same(await choosePeers([]), { kinds: [], versions: {}, skipped: [] });
});
