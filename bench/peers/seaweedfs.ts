import { runChild } from '../harness/children.ts';
import type { PeerKind } from '../harness/file-store.ts';
import { numbered, type PeerDriver, type PeerPlace, peerSetting } from './peer-store.ts';
import { findProgram, getProgram } from './program.ts';

/** SeaweedFS in one process: master, volume server, and the filer, which is what takes files by name. */
export const seaweedfs: PeerKind = {
  name: 'seaweedfs',
  // Older ones lack a flag below.
  howToInstall: 'put weed 4 or later, from github.com/seaweedfs/seaweedfs/releases, on the PATH',
  async version() {
    const program = findProgram('weed');
    return program && /^version \S+ (\S+)/.exec(await runChild(program, ['version']))?.[1];
  },
  settings: [
    peerSetting(
      {
        name: 'SeaweedFS filer, fsync',
        // From its documents: the content written is synced, the filer's record of it is another matter.
        durability: { durable: false, words: 'data synced, index and names not' },
        readsDiffer: false,
        readsRanges: true,
      },
      () => driver('?fsync=true'),
    ),
    peerSetting(
      {
        name: 'SeaweedFS filer',
        durability: { durable: false, words: 'nothing synced' },
        readsDiffer: false,
        readsRanges: true,
      },
      () => driver(''),
    ),
  ],
};

/** Small volumes, so that the disk needs not hold room for the usual ones of 30 GB. */
const VOLUME_MB = 1024;

function driver(query: '' | '?fsync=true'): PeerDriver {
  return {
    otherPortCount: 5,
    stopsSlowly: true,
    command: ({ home, data, port, otherPorts }) => {
      const [filerRpc, master, masterRpc, volume, volumeRpc] = otherPorts;
      return {
        program: getProgram('weed'),
        args: [
          ...[`-logdir=${home}`, 'server', `-dir=${data}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1'],
          ...['-filer', `-filer.port=${port}`, `-filer.port.grpc=${filerRpc}`, `-filer.localSocket=${home}/filer.sock`],
          ...[`-master.port=${master}`, `-master.port.grpc=${masterRpc}`, `-master.volumeSizeLimitMB=${VOLUME_MB}`],
          // It would send statistics to its authors.
          '-master.telemetry=false',
          ...[`-volume.port=${volume}`, `-volume.port.grpc=${volumeRpc}`, '-volume.max=0', '-volume.preStopSeconds=0'],
        ],
      };
    },
    isReady: canStore,
    writes: (_, { batch }) => ({ method: 'PUT', paths: `/bench/${batch}/%d${query}`, headers: {} }),
    reads: (_, { batch, count }) => ({ method: 'GET', paths: numbered(`/bench/${batch}/%d`, count), headers: {} }),
  };
}

/** The filer answers before there are volumes to write to. */
async function canStore({ port }: PeerPlace): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/bench/ready`, { method: 'PUT', body: 'ready' }).catch(() => undefined);
  await answer?.arrayBuffer();
  return answer?.ok === true;
}
