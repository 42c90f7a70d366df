import { readdirSync } from 'node:fs';
import { runChild } from '../harness/children.ts';
import type { PeerKind } from '../harness/file-store.ts';
import { answers, type PeerDriver, type PeerPlace, peerSetting } from './peer-store.ts';
import { findProgram, getProgram } from './program.ts';
import { tusUpload } from './tus.ts';

/** The tus project's server in Go, with its store of files. */
export const tusd: PeerKind = {
  name: 'tusd',
  howToInstall: 'put tusd, from github.com/tus/tusd/releases, on the PATH',
  async version() {
    const program = findProgram('tusd');
    return program && /Version: (\S+)/.exec(await runChild(program, ['-version']))?.[1];
  },
  settings: [
    peerSetting(
      // From its source: the store of files closes what it has written and calls no sync.
      { name: 'tusd', durability: { durable: false, words: 'nothing synced' }, readsDiffer: false, readsRanges: false },
      driver,
    ),
  ],
};

function driver(): PeerDriver {
  let before = new Set<string>();
  return {
    command: ({ data, port }) => ({
      program: getProgram('tusd'),
      args: ['-host', '127.0.0.1', '-port', String(port), '-upload-dir', data, '-base-path', '/files/'],
    }),
    isReady: (place) => answers(place, '/'),
    writes(place, { size }) {
      before = new Set(uploadsOf(place));
      return tusUpload('/files/', size);
    },
    // It names uploads itself, so what is new in its folder is what was stored, in no order.
    reads: (place) => ({
      method: 'GET',
      paths: uploadsOf(place)
        .filter((id) => !before.has(id))
        .map((id) => `/files/${id}`),
      headers: {},
    }),
  };
}

/** Each lies under its id, with notes and locks of the same name and an ending beside it. */
function uploadsOf({ data }: PeerPlace): string[] {
  return readdirSync(data).filter((name) => !name.includes('.'));
}
