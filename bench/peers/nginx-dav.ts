import type { PeerKind } from '../harness/file-store.ts';
import { nginxArguments, nginxVersion, writeNginxConfig } from '../harness/nginx-server.ts';
import { answers, numbered, type PeerDriver, peerSetting } from './peer-store.ts';
import { howToInstall } from './program.ts';

/** nginx taking files by its WebDAV module: each body goes into a temporary file, which is renamed into place. */
export const nginxDav: PeerKind = {
  name: 'nginx-dav',
  howToInstall,
  version: nginxVersion,
  settings: [
    peerSetting(
      { name: 'nginx, PUT', durability: { durable: false, words: 'nothing synced' }, readsDiffer: false, readsRanges: true },
      driver,
    ),
  ],
};

function driver(): PeerDriver {
  return {
    command({ home, data, port }) {
      writeNginxConfig(home, { port, root: data, sendfile: 'off', takesFiles: true });
      return { program: 'nginx', args: nginxArguments(home) };
    },
    isReady: (place) => answers(place, '/'),
    writes: (_, { batch }) => ({ method: 'PUT', paths: `/${batch}/%d`, headers: {} }),
    reads: (_, { batch, count }) => ({ method: 'GET', paths: numbered(`/${batch}/%d`, count), headers: {} }),
  };
}
