import t from 'tap';
import { RevocationEpochs } from '../../../src/access/revocation-epochs.ts';

t.test('an epoch stays until its key is revoked, and other keys keep theirs', async (t) => {
  const epochs = new RevocationEpochs<string>();
  const [anna, bert] = [epochs.epochOf('anna'), epochs.epochOf('bert')];
  epochs.revoke('anna');
  t.not(epochs.epochOf('anna'), anna);
  t.equal(epochs.epochOf('bert'), bert);
});

t.test('every revocation makes an epoch that never was before', async (t) => {
  const epochs = new RevocationEpochs<string>();
  const seen = new Set([epochs.epochOf('anna')]);
  for (let turn = 0; turn < 10; turn++) {
    if (turn % 3 === 2) epochs.revokeAll();
    else epochs.revoke('anna');
    seen.add(epochs.epochOf('anna'));
  }
  t.equal(seen.size, 11);
});

t.test('revoking all revokes keys that were revoked before, and those that never were', async (t) => {
  const epochs = new RevocationEpochs<string>();
  epochs.revoke('anna');
  const before = ['anna', 'bert'].map((key) => epochs.epochOf(key));
  epochs.revokeAll();
  t.notOk(['anna', 'bert'].some((key) => before.includes(epochs.epochOf(key))));
});

t.test('more revocations than are remembered one by one revoke too much, never too little', async (t) => {
  const epochs = new RevocationEpochs<string>({ keysMax: 4 });
  const names = Array.from({ length: 20 }, (_, index) => `principal ${index}`);
  const loaded = new Map(names.map((name) => [name, epochs.epochOf(name)]));
  for (const [index, name] of names.entries()) {
    epochs.revoke(name);
    const revoked = names.slice(0, index + 1);
    t.ok(
      revoked.every((one) => epochs.epochOf(one) !== loaded.get(one)),
      `after ${index + 1}`,
    );
  }
});
