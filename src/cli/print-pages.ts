import { limits } from '../core/limits.ts';
import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { record, unexpected } from './upload-client.ts';

/** Prints a list of the server, page by page: as JSON or as `line` makes it, at most `--limit` items or `--all`. */
export async function printPages(
  context: CommandContext,
  { path, line }: { readonly path: string; readonly line: (item: unknown) => string },
): Promise<number> {
  const { flags, terminal } = context;
  const json = flags.switch('json');
  let left = flags.switch('all') ? Number.POSITIVE_INFINITY : (flags.count('limit') as number);
  let more = false;
  await withClient(context, async (http) => {
    const attempts = new Attempts(context);
    let cursor: string | undefined;
    do {
      const at = pagePath(path, Math.min(left, limits.pageSizeMax), cursor);
      const page = parsePage((await attempts.run(() => http.json({ method: 'GET', path: at }))).value);
      for (const item of page.items) await terminal.print(json ? JSON.stringify(item) : line(item));
      left -= page.items.length;
      cursor = page.nextCursor;
      more = cursor !== undefined;
    } while (cursor !== undefined && left > 0);
  });
  if (more && !json) terminal.note('There are more; --all lists them.');
  return 0;
}

/** @param path may have a query already. */
export function pagePath(path: string, limit: number, cursor: string | undefined): string {
  const joint = path.includes('?') ? '&' : '?';
  return `${path}${joint}limit=${limit}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
}

export function parsePage(value: unknown): { items: readonly unknown[]; nextCursor: string | undefined } {
  const { items, nextCursor } = record(value);
  if (!Array.isArray(items)) throw unexpected('a list');
  return { items, nextCursor: typeof nextCursor === 'string' && nextCursor !== '' ? nextCursor : undefined };
}
