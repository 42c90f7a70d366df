import type { FoundMetadata, MetadataOutcome, MetadataStore } from '../../src/catalog/metadata-store.ts';

/** For tests that are about something else: takes every change and keeps nothing. */
export class MemoryMetadata implements MetadataStore {
  /** Called with every change; what it throws is the answer. */
  onCommit: () => Promise<void> = async () => {};

  async listMetadata(): Promise<readonly FoundMetadata[]> {
    return [];
  }

  async commitMetadata(): Promise<MetadataOutcome> {
    await this.onCommit();
    return { kind: 'committed' };
  }
}
