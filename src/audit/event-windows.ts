import type { Deed } from '../core/actor.ts';
import { type Clock, toTimestamp } from '../core/clock.ts';
import { isQuasarError, QuasarError } from '../core/errors.ts';
import { limits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { EventWriter } from './event-writer.ts';
import { makeNote, type NoteContext } from './note-maker.ts';

export interface EventWindowsOptions {
  readonly writer: EventWriter;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Events of what happens too often to be written one by one: reads, and denials. The first of its kind is an event, durable
 * before anything is answered; those that follow within five minutes are counted, and a second event closes the window with
 * the counters when there were any. What a window counted is lost when the process dies; that it was opened is not.
 */
export class EventWindows {
  readonly #options: EventWindowsOptions;
  /** In the order in which they were opened. */
  readonly #windows = new Map<string, Window>();
  /** Closing events on their way. */
  readonly #closing = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: EventWindowsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#closeDue(), limits.auditWindowSweepMs).unref();
  }

  get count(): number {
    return this.#windows.size;
  }

  /**
   * Returns nothing when the window is open already: a counted read costs no promise.
   * @param bytes of content that will be sent.
   * @throws (rejects) QuasarError when the event cannot be stored; then nothing may be answered, and the next one tries again.
   */
  note(context: NoteContext, deed: Deed, bytes: number): void | Promise<void> {
    const key = keyOf(context, deed);
    const { clock } = this.#options;
    const open = this.#windows.get(key);
    if (open !== undefined && clock.monotonic() < open.endsAtMonotonicMs) {
      open.count += 1;
      open.bytes += bytes;
      open.lastAtMs = clock.now();
      return open.opening;
    }
    if (open !== undefined) void this.#close(key, open);
    else if (this.#windows.size >= limits.auditWindowsMax) this.#closeOldest();
    return this.#open(key, { context, deed, bytes });
  }

  /** Closes all windows; nothing may be noted any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const [key, window] of this.#windows) void this.#close(key, window);
    await Promise.all(this.#closing);
  }

  #open(key: string, { context, deed, bytes }: { context: NoteContext; deed: Deed; bytes: number }): Promise<void> {
    const { writer, clock } = this.#options;
    const now = clock.now();
    const endsAtMonotonicMs = clock.monotonic() + limits.auditWindowMs;
    const window: Window = {
      ...{ context, deed, startedAtMs: now, lastAtMs: now, endsAtMonotonicMs, count: 1, bytes },
      opening: undefined,
    };
    const detail = bytes === 0 ? deed.detail : { ...deed.detail, bytes };
    window.opening = writer
      .append(context.orgId, makeNote(context, detail === undefined ? deed : { ...deed, detail }, clock))
      .then(
        () => {
          window.opening = undefined;
        },
        (error: unknown) => {
          if (this.#windows.get(key) === window) this.#windows.delete(key);
          throw toUnavailable(error);
        },
      );
    this.#windows.set(key, window);
    return window.opening;
  }

  /** A statement's worth at a time, so that the end of many windows holds up nothing else. */
  async #closeDue(): Promise<void> {
    const now = this.#options.clock.monotonic();
    let batch: Promise<void>[] = [];
    for (const [key, window] of this.#windows) {
      if (window.endsAtMonotonicMs > now) break;
      batch.push(this.#close(key, window));
      if (batch.length < limits.auditWriteBatchMax) continue;
      await Promise.all(batch);
      batch = [];
    }
  }

  #closeOldest(): void {
    for (const [key, window] of this.#windows) {
      void this.#close(key, window);
      return;
    }
  }

  /** From now on the next one of its kind opens another. Never rejects. */
  #close(key: string, window: Window): Promise<void> {
    this.#windows.delete(key);
    const closing = this.#writeCounters(window).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }

  /** Counters that cannot be stored are logged: the log of the program is then all that tells. */
  async #writeCounters(window: Window): Promise<void> {
    const opened = await Promise.resolve(window.opening).then(
      () => true,
      // Whoever read was told; nothing was answered, so there is nothing to count.
      () => false,
    );
    const { context, deed, count, bytes, startedAtMs, lastAtMs } = window;
    if (!opened || count === 1) return;
    const { writer, clock, log } = this.#options;
    const windowEnd = toTimestamp(Math.max(startedAtMs, lastAtMs));
    const reads = { count, bytes, windowStart: toTimestamp(startedAtMs), windowEnd };
    try {
      await writer.append(context.orgId, makeNote(context, { ...deed, reads }, clock));
    } catch (error) {
      const { action, resource } = deed;
      log.error({ error, orgId: context.orgId, action, resource, reads }, 'a window of reads was not closed');
    }
  }
}

/**
 * What is counted together: the same with the same credential, from the same address, by the same rules; one list, or kind of
 * request, apart from another. Ids of tokens are their issuers', and unique in their org alone.
 */
function keyOf(context: NoteContext, { action, resource, detail }: Deed): string {
  const { orgId, outcome, reason, principal, credential, address = '', decided } = context;
  const { kind, id, version = '' } = resource;
  const what = `${orgId} ${outcome} ${reason} ${principal.id} ${action} ${kind} ${version} ${id}`;
  return `${what} ${address} ${decided?.key ?? ''} ${detail?.list ?? detail?.request ?? ''} ${credential?.id ?? ''}`;
}

/** No room for a line of the log is no reason to tell whoever reads that he should upload less. */
function toUnavailable(error: unknown): unknown {
  // Of a read nobody asked for a change, so nobody is told that its outcome is not known.
  const unnoted = isQuasarError(error, 'storage_full') || isQuasarError(error, 'commit_unknown');
  return unnoted ? new QuasarError('audit_unavailable', { op: 'audit.note', cause: error }) : error;
}

interface Window {
  readonly context: NoteContext;
  readonly deed: Deed;
  readonly startedAtMs: number;
  /** By the clock that nobody sets. */
  readonly endsAtMonotonicMs: number;
  lastAtMs: number;
  count: number;
  bytes: number;
  /** Until the first event is durable. */
  opening: Promise<void> | undefined;
}
