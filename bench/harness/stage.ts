import type { Closer } from '../../src/core/closer.ts';
import type { PeerSetting } from './file-store.ts';
import type { Table } from './results.ts';
import type { Workspace } from './workspace.ts';

/** What a scenario is given. */
export interface Stage {
  readonly runs: number;
  readonly workspace: Workspace;
  /** What ends the servers that a scenario has started and removes their stores is pushed here. */
  readonly closer: Pick<Closer, 'push'>;
  /** Runs what was pushed; also done after each scenario. */
  readonly closeAll: () => Promise<void>;
  /** Whether the native ceiling that hashes could be built. */
  readonly canHash: boolean;
  /** Whether these programs are on the machine; scenarios say in a note what they left out. */
  readonly has: { readonly nginx: boolean; readonly wrk: boolean };
  /** The settings of the peers that were asked for and are here. */
  readonly peers: readonly PeerSetting[];
  readonly progress: (line: string) => void;
}

export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  run(stage: Stage): Promise<readonly Table[]>;
}
