import type { Closer } from '../../src/core/closer.ts';
import type { EarlierBuild } from './earlier-build.ts';
import type { PeerKind } from './file-store.ts';
import type { Table } from './results.ts';
import type { Workspace } from './workspace.ts';

/** What a scenario is given. */
export interface Stage {
  readonly runs: number;
  /** Only what stands at the head of the results: a part of the tables, without peers. */
  readonly headlineOnly: boolean;
  readonly workspace: Workspace;
  /** What ends the servers that a scenario has started and removes their stores is pushed here. */
  readonly closer: Pick<Closer, 'push'>;
  /** Runs what was pushed; also done after each scenario. */
  readonly closeAll: () => Promise<void>;
  /** Whether the native ceiling that hashes could be built. */
  readonly canHash: boolean;
  /** Whether these programs are on the machine; scenarios say in a note what they left out. */
  readonly has: { readonly nginx: boolean };
  /** The peers that were asked for and are here. */
  readonly peers: readonly PeerKind[];
  /** An earlier version to compare with; undefined when none was named. */
  readonly earlier: EarlierBuild | undefined;
  readonly progress: (line: string) => void;
  /** For a candidate that failed and is left out, so that the run ends with 1; returns the note for its table. */
  readonly lost: (candidate: string, cause: unknown) => string;
}

export interface Scenario {
  /** For the command line. */
  readonly name: string;
  readonly title: string;
  run(stage: Stage): Promise<readonly Table[]>;
}
