import type { Capability } from '../core/capability.ts';
import type { PrincipalId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import type { AccessList } from './access-list.ts';
import { type Decision, decide, type Requester } from './decide.ts';
import type { RevocationEpochs } from './revocation-epochs.ts';

/** A requester with the epoch of its principal, taken before its groups, roles and suspension were loaded. */
export interface DatedRequester extends Requester {
  readonly epoch: number;
}

export interface DecisionCacheOptions {
  readonly epochs: RevocationEpochs<PrincipalId>;
  readonly entriesMax?: number;
}

/**
 * Decisions by principal, token scope, version of the rules and action; the least recently used goes first. Groups, roles
 * and suspension are no part of the key: whoever changes these revokes the principal, and the epoch tells.
 *
 * A decision costs one look-up for each group and place, a hit one altogether: it pays for principals with many groups.
 */
export class DecisionCache {
  readonly #epochs: RevocationEpochs<PrincipalId>;
  readonly #entriesMax: number;
  /** In order of last use, oldest first. */
  readonly #entries = new Map<string, Entry>();
  #hits = 0;
  #misses = 0;

  constructor(options: DecisionCacheOptions) {
    this.#epochs = options.epochs;
    this.#entriesMax = options.entriesMax ?? limits.decisionCacheEntriesMax;
  }

  get statistics(): { readonly entries: number; readonly hits: number; readonly misses: number } {
    return { entries: this.#entries.size, hits: this.#hits, misses: this.#misses };
  }

  /** As `decide`. Undefined when the principal was revoked since the requester was loaded: load it again, then ask again. */
  decide(requester: DatedRequester, list: AccessList, action: Capability): Decision | undefined {
    const { epoch } = requester;
    if (epoch !== this.#epochs.epochOf(requester.principalId)) return undefined;
    if (requester.orgId !== list.orgId) return decide(requester, list, action);
    const key = `${requester.principalId} ${requester.tokenScope} ${action} ${list.version}`;
    const found = this.#entries.get(key);
    if (found !== undefined) this.#entries.delete(key);
    if (found?.epoch === epoch) {
      this.#hits += 1;
      this.#entries.set(key, found);
      return found.decision;
    }
    this.#misses += 1;
    const decision = decide(requester, list, action);
    this.#keep(key, { epoch, decision });
    return decision;
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    if (this.#entries.size <= this.#entriesMax) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}

interface Entry {
  readonly epoch: number;
  readonly decision: Decision;
}
