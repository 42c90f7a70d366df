import { runChild } from '../harness/children.ts';
import type { PeerKind } from '../harness/file-store.ts';
import type { Durability } from '../harness/results.ts';
import { type PeerDriver, peerSetting } from './peer-store.ts';
import { findProgram, getProgram, howToInstall, notedVersion } from './program.ts';
import { makeBucket, randomCredentials, s3Requests } from './s3.ts';

/** From its source: the posix backend links a file into place and calls no sync at all. */
const durability: Durability = { durable: false, words: 'nothing synced' };

/** Versity's S3 gateway over a folder; objects are files there, what S3 knows of them extended attributes. */
export const versitygw: PeerKind = {
  name: 'versitygw',
  howToInstall,
  async version() {
    const program = findProgram('versitygw');
    return program && (notedVersion(program) ?? /Version\s*: (\S+)/.exec(await runChild(program, ['--version']))?.[1]);
  },
  settings: [peerSetting({ name: 'Versity S3 gateway', durability, readsDiffer: false, readsRanges: true }, driver)],
};

function driver(): PeerDriver {
  const access = { credentials: randomCredentials(), signed: false };
  const { accessKey, secretKey, region } = access.credentials;
  return {
    ...s3Requests(access),
    command: ({ data, port }) => ({
      program: getProgram('versitygw'),
      // Without --keep-alive it ends the connection after each answer.
      args: ['--port', `127.0.0.1:${port}`, '--region', region, '--keep-alive', '--quiet', 'posix', data],
      env: { ROOT_ACCESS_KEY_ID: accessKey, ROOT_SECRET_ACCESS_KEY: secretKey },
    }),
    prepare: (place) => makeBucket(place, access),
  };
}
