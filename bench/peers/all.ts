import type { PeerKind } from '../harness/file-store.ts';
import { garage } from './garage.ts';
import { minio } from './minio.ts';
import { nginxDav } from './nginx-dav.ts';
import { seaweedfs } from './seaweedfs.ts';
import { tusServer } from './tus-server.ts';
import { tusd } from './tusd.ts';
import { versitygw } from './versitygw.ts';

/** In the order of tables. */
export const peerKinds: readonly PeerKind[] = [minio, versitygw, seaweedfs, garage, tusd, tusServer, nginxDav];

export interface ChosenPeers {
  /** Those that are here. */
  readonly kinds: PeerKind[];
  /** By the peer's name. */
  readonly versions: Record<string, string>;
  /** One line for each that is not here, with what to type to have it. */
  readonly skipped: string[];
}

/** Throws for a name that no peer has. */
export async function choosePeers(names: 'all' | readonly string[]): Promise<ChosenPeers> {
  const chosen: ChosenPeers = { kinds: [], versions: {}, skipped: [] };
  for (const kind of wantedKinds(names)) {
    const version = await kind.version();
    if (version === undefined) {
      chosen.skipped.push(`${kind.name} is left out: it is not here (${kind.howToInstall})`);
    } else {
      chosen.kinds.push(kind);
      chosen.versions[kind.name] = version;
    }
  }
  return chosen;
}

function wantedKinds(names: 'all' | readonly string[]): readonly PeerKind[] {
  if (names === 'all') return peerKinds;
  const known = peerKinds.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no such peer: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return peerKinds.filter(({ name }) => names.includes(name));
}
