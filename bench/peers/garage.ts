import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runChild } from '../harness/children.ts';
import type { PeerKind } from '../harness/file-store.ts';
import { type PeerDriver, type PeerPlace, peerSetting } from './peer-store.ts';
import { findProgram, getProgram } from './program.ts';
import { BUCKET, randomHex, s3Requests } from './s3.ts';

/** Garage as a single node, one copy of everything. It knows no anonymous uploads, so all requests are signed. */
export const garage: PeerKind = {
  name: 'garage',
  howToInstall: 'put garage 1.0 or later, from garagehq.deuxfleurs.fr/download, on the PATH',
  async version() {
    const program = findProgram('garage');
    return program && /^garage (\S+)/.exec(await runChild(program, ['--version']))?.[1];
  },
  settings: [
    peerSetting(
      {
        name: 'Garage, fsync',
        // From its documents: data_fsync syncs blocks and their folder, metadata_fsync every transaction of its database.
        durability: { durable: true, words: 'data, metadata and names synced' },
        readsDiffer: false,
        readsRanges: true,
      },
      () => driver({ syncs: true }),
    ),
    peerSetting(
      { name: 'Garage', durability: { durable: false, words: 'nothing synced' }, readsDiffer: false, readsRanges: true },
      () => driver({ syncs: false }),
    ),
  ],
};

const REGION = 'garage';
const RPC_POLL_MS = 100;
const RPC_TRIES = 100;

function driver({ syncs }: { readonly syncs: boolean }): PeerDriver {
  // The forms that it imports keys in.
  const credentials = { accessKey: `GK${randomHex(12)}`, secretKey: randomHex(32), region: REGION };
  const rpcSecret = randomHex(32);
  return {
    otherPortCount: 1,
    ...s3Requests({ credentials, signed: true }),
    command(place) {
      writeFileSync(configOf(place), renderGarageConfig(place, { syncs, rpcSecret }), { mode: 0o600 });
      return { program: getProgram('garage'), args: ['-c', configOf(place), 'server'] };
    },
    async prepare(place) {
      const run = (...args: string[]) => runChild(getProgram('garage'), ['-c', configOf(place), ...args]);
      await untilDone(() => run('status'));
      const [node = ''] = (await run('node', 'id', '-q')).split('@');
      await run('layout', 'assign', '-z', 'bench', '-c', '100G', node.trim());
      await run('layout', 'apply', '--version', '1');
      await run('bucket', 'create', BUCKET);
      await run('key', 'import', '--yes', '-n', BUCKET, credentials.accessKey, credentials.secretKey);
      await run('bucket', 'allow', '--read', '--write', BUCKET, '--key', credentials.accessKey);
    },
  };
}

export function renderGarageConfig(
  { data, port, otherPorts }: PeerPlace,
  { syncs, rpcSecret }: { readonly syncs: boolean; readonly rpcSecret: string },
): string {
  return `metadata_dir = "${data}/meta"
data_dir = "${data}/blocks"
db_engine = "lmdb"
replication_factor = 1
compression_level = "none"
metadata_fsync = ${syncs}
data_fsync = ${syncs}
rpc_bind_addr = "127.0.0.1:${otherPorts[0]}"
rpc_public_addr = "127.0.0.1:${otherPorts[0]}"
rpc_secret = "${rpcSecret}"

[s3_api]
s3_region = "${REGION}"
api_bind_addr = "127.0.0.1:${port}"
`;
}

function configOf({ home }: PeerPlace): string {
  return join(home, 'garage.toml');
}

/** The server listens for its own commands a little after it does for S3. */
async function untilDone(run: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await run();
      return;
    } catch (error) {
      if (tries === RPC_TRIES) throw error;
      await sleep(RPC_POLL_MS);
    }
  }
}
