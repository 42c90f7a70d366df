import type { Deed } from '../core/actor.ts';
import { type Clock, toTimestamp } from '../core/clock.ts';
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
    const { resource } = deed;
    const key = `${context.outcome} ${context.reason} ${context.principal.id} ${deed.action} ${resource.version ?? ''} ${resource.id}`;
    const now = this.#options.clock.now();
    const open = this.#windows.get(key);
    if (open !== undefined && now < open.endsAtMs) {
      open.count += 1;
      open.bytes += bytes;
      open.lastAtMs = now;
      return open.opening;
    }
    if (open !== undefined) this.#closeInBackground(key, open);
    else if (this.#windows.size >= limits.auditWindowsMax) this.#closeOldest();
    return this.#open(key, { context, deed, bytes, now });
  }

  /** Closes all windows; nothing may be noted any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#windows].map(([key, window]) => this.#close(key, window)));
  }

  #open(
    key: string,
    { context, deed, bytes, now }: { context: NoteContext; deed: Deed; bytes: number; now: number },
  ): Promise<void> {
    const { writer, clock } = this.#options;
    const window: Window = {
      ...{ context, deed, startedAtMs: now, lastAtMs: now, endsAtMs: now + limits.auditWindowMs, count: 1, bytes },
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
          throw error;
        },
      );
    this.#windows.set(key, window);
    return window.opening;
  }

  async #closeDue(): Promise<void> {
    const now = this.#options.clock.now();
    for (const [key, window] of this.#windows) {
      if (window.endsAtMs > now) return;
      await this.#close(key, window);
    }
  }

  #closeOldest(): void {
    for (const [key, window] of this.#windows) {
      this.#closeInBackground(key, window);
      return;
    }
  }

  #closeInBackground(key: string, window: Window): void {
    void this.#close(key, window);
  }

  /** Counters that cannot be stored are logged: the log of the program is then all that tells. */
  async #close(key: string, window: Window): Promise<void> {
    this.#windows.delete(key);
    const { context, deed, count, bytes, startedAtMs, lastAtMs } = window;
    if (count === 1) return;
    const { writer, clock, log } = this.#options;
    const reads = {
      count,
      bytes,
      windowStart: toTimestamp(startedAtMs),
      windowEnd: toTimestamp(Math.max(startedAtMs, lastAtMs)),
    };
    try {
      await writer.append(context.orgId, makeNote(context, { ...deed, reads }, clock));
    } catch (error) {
      log.error(
        { error, orgId: context.orgId, action: deed.action, resource: deed.resource, reads },
        'a window of reads was not closed',
      );
    }
  }
}

interface Window {
  readonly context: NoteContext;
  readonly deed: Deed;
  readonly startedAtMs: number;
  readonly endsAtMs: number;
  lastAtMs: number;
  count: number;
  bytes: number;
  /** Until the first event is durable. */
  opening: Promise<void> | undefined;
}
