import t from 'tap';
import type { PeerKind, PeerSetting } from '../../../bench/harness/file-store.ts';
import {
  headlineSettings,
  openPeers,
  settingsThatRead,
  settingsThatReadRanges,
  settingsThatStore,
} from '../../../bench/harness/peer-settings.ts';

function setting(name: string, { readsDiffer = false, readsRanges = true } = {}): PeerSetting {
  const open = () => Promise.reject(new Error('not opened here'));
  return { name, durability: { durable: true, words: 'all synced' }, readsDiffer, readsRanges, open };
}

function kind(name: string, settings: readonly PeerSetting[]): PeerKind {
  return { name, howToInstall: 'by hand', version: async () => '1', settings };
}

const peers = [
  kind('s3', [setting('plain'), setting('without digests'), setting('signed', { readsDiffer: true })]),
  kind('whole', [setting('whole files', { readsRanges: false })]),
  kind('nginx-dav', [setting('nginx, PUT')]),
];
const names = (settings: readonly PeerSetting[]) => settings.map(({ name }) => name);

t.test('who stores is measured in every setting', async (t) => {
  t.same(names(settingsThatStore(peers)), ['plain', 'without digests', 'signed', 'whole files', 'nginx, PUT']);
});

t.test('who reads is measured where reading differs, and nginx by the scenarios themselves', async (t) => {
  t.same(names(settingsThatRead(peers)), ['plain', 'signed', 'whole files']);
  t.same(names(settingsThatReadRanges(peers)), ['plain', 'signed']);
});

t.test('of each kind the first setting is the headline', async (t) => {
  t.same(names(headlineSettings(peers)), ['plain', 'whole files', 'nginx, PUT']);
});

t.test('a peer that cannot be opened is left out, and the others are opened', async (t) => {
  const lost: string[] = [];
  const stage = {
    progress: () => undefined,
    lost(name: string, cause: unknown) {
      lost.push(name);
      return `${name}: ${(cause as Error).message}`;
    },
  };
  const opened = await openPeers(stage, headlineSettings(peers), async ({ name }) => {
    if (name === 'plain') throw new Error('no port');
    return name;
  });
  t.same(opened, { stores: ['whole files', 'nginx, PUT'], notes: ['plain: no port'] });
  t.same(lost, ['plain']);
});
