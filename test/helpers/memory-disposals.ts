import type { DisposalStore, DisposeOutcome, HoldOutcome, RetentionOutcome } from '../../src/catalog/disposal-store.ts';

/** For tests that are about something else: takes every change and keeps nothing. */
export class MemoryDisposals implements DisposalStore {
  async disposeDocument(): Promise<DisposeOutcome> {
    return { kind: 'disposed', uploadIds: [] };
  }

  async setRetention(...[, { untilMs }]: Parameters<DisposalStore['setRetention']>): Promise<RetentionOutcome> {
    return { kind: 'changed', untilMs };
  }

  async setHold(...[, { atMs }]: Parameters<DisposalStore['setHold']>): Promise<HoldOutcome> {
    return { kind: 'changed', setAtMs: atMs };
  }

  async releaseHold(): Promise<'changed'> {
    return 'changed';
  }
}
