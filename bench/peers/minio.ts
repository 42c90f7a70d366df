import { runChild } from '../harness/children.ts';
import type { PeerKind } from '../harness/file-store.ts';
import type { Durability } from '../harness/results.ts';
import { type PeerDriver, peerSetting } from './peer-store.ts';
import { findProgram, getProgram, howToInstall, notedVersion } from './program.ts';
import { makeBucket, randomCredentials, s3Requests } from './s3.ts';

/**
 * From MinIO's source: content (CreateFile) and metadata (WriteAll) are synced under temporary names, then renamed into
 * place (RenameData) without a sync of the directories, so the name may be lost with the power.
 */
const durability: Durability = { durable: false, words: 'data and metadata synced, names not' };

/** MinIO over one folder, which is its setting for one drive. */
export const minio: PeerKind = {
  name: 'minio',
  howToInstall,
  async version() {
    const program = findProgram('minio');
    return program && (notedVersion(program) ?? /\S+ version (\S+)/.exec(await runChild(program, ['--version']))?.[1]);
  },
  settings: [
    peerSetting({ name: 'MinIO, one drive', durability, readsDiffer: false, readsRanges: true }, () => driver({ signed: false })),
    peerSetting({ name: 'MinIO --no-compat', durability, readsDiffer: false, readsRanges: true }, () =>
      driver({ signed: false, flags: ['--no-compat'] }),
    ),
    peerSetting({ name: 'MinIO, SigV4', durability, readsDiffer: true, readsRanges: true }, () => driver({ signed: true })),
  ],
};

function driver({ signed, flags = [] }: { readonly signed: boolean; readonly flags?: readonly string[] }): PeerDriver {
  const credentials = randomCredentials();
  return {
    ...s3Requests({ credentials, signed }),
    command: ({ home, data, port }) => ({
      program: getProgram('minio'),
      // --no-compat is a global flag and is not seen behind the command's name.
      args: [...flags, 'server', '--address', `127.0.0.1:${port}`, '--certs-dir', `${home}/certs`, '--quiet', data],
      env: {
        MINIO_ROOT_USER: credentials.accessKey,
        MINIO_ROOT_PASSWORD: credentials.secretKey,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
        MINIO_CALLHOME_ENABLE: 'off',
      },
    }),
    prepare: (place) => makeBucket(place, { credentials, signed }),
  };
}
