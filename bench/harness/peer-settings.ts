import type { PeerKind, PeerSetting } from './file-store.ts';
import type { Stage } from './stage.ts';

/** Which settings of the peers a scenario measures. */

export function settingsThatStore(peers: readonly PeerKind[]): PeerSetting[] {
  return peers.flatMap(({ settings }) => settings);
}

/** Without nginx, which scenarios of reading measure with the file itself and both ways of sending. */
export function settingsThatRead(peers: readonly PeerKind[]): PeerSetting[] {
  return peers
    .filter(({ name }) => !name.startsWith('nginx'))
    .flatMap(({ settings }) => settings.filter(({ readsDiffer }, index) => index === 0 || readsDiffer));
}

export function settingsThatReadRanges(peers: readonly PeerKind[]): PeerSetting[] {
  return settingsThatRead(peers).filter(({ readsRanges }) => readsRanges);
}

/** One of each kind. */
export function headlineSettings(peers: readonly PeerKind[]): PeerSetting[] {
  return peers.flatMap(({ settings }) => settings.slice(0, 1));
}

export interface Opened<Of> {
  readonly stores: readonly Of[];
  /** Who could not be opened, and why. */
  readonly notes: readonly string[];
}

/** Opens one after the other. A peer that fails is left out and costs nobody else anything. */
export async function openPeers<Of>(
  stage: Pick<Stage, 'lost' | 'progress'>,
  settings: readonly PeerSetting[],
  open: (setting: PeerSetting) => Promise<Of>,
): Promise<Opened<Of>> {
  const stores: Of[] = [];
  const notes: string[] = [];
  for (const setting of settings) {
    stage.progress(`opening ${setting.name}`);
    try {
      stores.push(await open(setting));
    } catch (cause) {
      notes.push(stage.lost(setting.name, cause));
    }
  }
  return { stores, notes };
}
