import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerKind } from '../harness/file-store.ts';
import { repository } from '../harness/workspace.ts';
import { answers, numbered, type PeerDriver, peerSetting } from './peer-store.ts';
import { buildFolder, howToInstall } from './program.ts';
import { tusUpload } from './tus.ts';

const SOURCE = join(repository, 'bench', 'peers', 'tus', 'server.mjs');
const FOLDER = join(buildFolder, 'tus');

/** The tus project's server for Node, with its store of files. It answers a range with the whole. */
export const tusServer: PeerKind = {
  name: 'tus-server',
  howToInstall,
  async version() {
    try {
      return JSON.parse(readFileSync(join(FOLDER, 'node_modules', '@tus', 'server', 'package.json'), 'utf8')).version;
    } catch {
      return undefined;
    }
  },
  settings: [
    peerSetting(
      // From its source: the store writes through Node's streams and calls no sync.
      { name: '@tus/server', durability: { durable: false, words: 'nothing synced' }, readsDiffer: false, readsRanges: false },
      driver,
    ),
  ],
};

function driver(): PeerDriver {
  return {
    command({ data, port }) {
      // Node looks for packages beside the program.
      const program = join(FOLDER, 'server.mjs');
      copyFileSync(SOURCE, program);
      return { program: process.execPath, args: [program, String(port), data] };
    },
    isReady: (place) => answers(place, '/files'),
    writes: (_, { batch, size }) => tusUpload(`/files?name=${batch}-%d`, size),
    reads: (_, { batch, count }) => ({ method: 'GET', paths: numbered(`/files/${batch}-%d`, count), headers: {} }),
  };
}
