import { limits } from '../../core/limits.ts';
import { Attempts } from '../attempts.ts';
import { withClient } from '../client-flags.ts';
import type { CommandContext } from '../command.ts';
import type { HttpClient } from '../http-client.ts';
import { pagePath, parsePage } from '../print-pages.ts';
import { record, unexpected } from '../upload-client.ts';
import { eventLine } from './event-line.ts';
import { eventQuery } from './event-query.ts';

/** `quasar audit tail`. Ends when it is interrupted, which is how one ends it: no failure. */
export async function tailEvents(context: CommandContext): Promise<number> {
  try {
    await withClient(context, (http) => follow(context, http));
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
  return 0;
}

/** By numbers: what gets its number later comes later, whenever it happened. */
async function follow(context: CommandContext, http: HttpClient): Promise<never> {
  const { flags, terminal, wait, signal } = context;
  const reader = new EventReader(context, http, eventQuery(flags, ['document', 'principal', 'action']));
  let last = await reader.lastLeaf();
  let items = await reader.listLast(flags.count('lines') as number, last);
  for (;;) {
    for (const item of items) await terminal.print(flags.switch('json') ? JSON.stringify(item) : eventLine(item));
    last = items.reduce((highest: number, item) => Math.max(highest, leafOf(item)), last);
    await wait(limits.clientTailMs, signal);
    items = await reader.listAbove(last);
  }
}

class EventReader {
  readonly #http: HttpClient;
  readonly #attempts: Attempts;
  readonly #filter: URLSearchParams;

  constructor(context: CommandContext, http: HttpClient, filter: URLSearchParams) {
    this.#http = http;
    this.#attempts = new Attempts(context);
    this.#filter = filter;
  }

  /** Of all events, whatever the filter; -1 when there is none. */
  async lastLeaf(): Promise<number> {
    const [item] = (await this.#page('/v1/audit/events', 1, undefined)).items;
    return item === undefined ? -1 : leafOf(item);
  }

  /** Oldest first, none behind `last`: those come with `listAbove`. */
  async listLast(count: number, last: number): Promise<readonly unknown[]> {
    if (count === 0) return [];
    const { items } = await this.#page(`/v1/audit/events?${this.#filter}`, count, undefined);
    return items.filter((item) => leafOf(item) <= last).reverse();
  }

  /** Oldest first. */
  async listAbove(leaf: number): Promise<readonly unknown[]> {
    const query = new URLSearchParams(this.#filter);
    if (leaf >= 0) query.set('above', String(leaf));
    const items: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.#page(`/v1/audit/events?${query}`, limits.pageSizeMax, cursor);
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return items.reverse();
  }

  async #page(path: string, limit: number, cursor: string | undefined): Promise<ReturnType<typeof parsePage>> {
    const at = pagePath(path, limit, cursor);
    return parsePage((await this.#attempts.run(() => this.#http.json({ method: 'GET', path: at }))).value);
  }
}

function leafOf(item: unknown): number {
  const { leaf } = record(item);
  if (typeof leaf !== 'number') throw unexpected('a list of events');
  return leaf;
}
