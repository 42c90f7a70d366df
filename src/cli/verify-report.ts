import type { ManifestRootPage } from '../core/manifest-root.ts';
import type { StoredRecord } from '../graviton/read-only-node.ts';
import type { Gap } from './blob-gaps.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { printable, type Terminal } from './terminal.ts';
import { formatCount } from './units.ts';

export interface RecordFault {
  readonly meaning: string;
  /** Its bytes could not be read, which proves nothing. */
  readonly unread: boolean;
}

/** Says what a verification found: findings on stdout as they come, in sentences or as JSON. */
export class VerifyReport {
  readonly #terminal: Terminal;
  readonly #display: ProgressDisplay;
  readonly #json: boolean;

  constructor(terminal: Terminal, display: ProgressDisplay, json: boolean) {
    this.#terminal = terminal;
    this.#display = display;
    this.#json = json;
  }

  problem(meaning: string): Promise<void> {
    return this.#say({ finding: 'structure', meaning }, meaning);
  }

  record(record: StoredRecord, { meaning: fault, unread }: RecordFault): Promise<void> {
    const { id, kind, segment, offset, size, marked } = record;
    const view = { finding: 'record', segment, offset, size, kind, block: id, fault, unread, marked };
    const known = marked ? ' It is marked already.' : '';
    return this.#say(
      view,
      `Segment ${segment}, byte ${formatCount(offset)}: the ${kind} record of ${formatCount(size)} bytes ${unread ? 'cannot be read' : 'is damaged'}: ${fault}.${known}`,
    );
  }

  manifest(id: string, fault: string): Promise<void> {
    return this.#say({ finding: 'manifest', block: id, fault }, `Manifest ${id}: ${fault}`);
  }

  async blob(root: ManifestRootPage, gaps: readonly Gap[]): Promise<void> {
    const { blob: key, orgId, documentId, versionId, filename, size } = root;
    const name = filename ?? key;
    const lines = gaps.map(
      ({ start, end, reason }) => `  bytes ${formatCount(start)} to ${formatCount(end - 1)} cannot be read: ${reason}`,
    );
    const head = `${name} (organisation ${orgId}, document ${documentId}, version ${versionId}, ${formatCount(size)} bytes) is not whole:`;
    await this.#say(
      { finding: 'blob', key, orgId, documentId, versionId, filename: filename ?? null, size, gaps },
      head,
      ...lines,
    );
  }

  summary(view: Readonly<Record<string, unknown>>, line: string): Promise<void> {
    return this.#say({ finding: 'summary', ...view }, line);
  }

  #say(view: Readonly<Record<string, unknown>>, ...lines: readonly string[]): Promise<void> {
    return this.#display.above(async () => {
      if (this.#json) return this.#terminal.printJson(view);
      for (const line of lines) await this.#terminal.print(printable(line));
    });
  }
}
