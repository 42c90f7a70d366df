import { metadataNotes } from '../../src/catalog/deeds.ts';
import type { FoundMetadata, MetadataOutcome, MetadataStore, MetadataWish } from '../../src/catalog/metadata-store.ts';
import type { Actor, AuditNote } from '../../src/core/actor.ts';

/** For tests that are about something else: takes every change and keeps nothing. */
export class MemoryMetadata implements MetadataStore {
  /** Called with every change; what it throws is the answer. */
  onCommit: () => Promise<void> = async () => {};
  /** Of the changes. */
  readonly notes: AuditNote[] = [];

  async listMetadata(): Promise<readonly FoundMetadata[]> {
    return [];
  }

  async commitMetadata(by: Actor, wish: MetadataWish): Promise<MetadataOutcome> {
    await this.onCommit();
    this.notes.push(...metadataNotes(by, wish));
    return { kind: 'committed' };
  }
}
