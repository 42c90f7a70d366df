import { limits } from '../core/limits.ts';
import { Attempts } from './attempts.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { printable } from './terminal.ts';
import { formatBytes } from './units.ts';
import { record, unexpected } from './upload-client.ts';

/** `quasar ls` from a server, page by page. */
export async function listDocuments(context: CommandContext): Promise<number> {
  const { flags, terminal } = context;
  const json = flags.switch('json');
  let left = flags.switch('all') ? Number.POSITIVE_INFINITY : (flags.count('limit') as number);
  let more = false;
  await withClient(context, async (http) => {
    const attempts = new Attempts(context);
    let cursor: string | undefined;
    do {
      const path = pagePath('/v1/documents', Math.min(left, limits.pageSizeMax), cursor);
      const page = parsePage((await attempts.run(() => http.json({ method: 'GET', path }))).value);
      for (const item of page.items) await terminal.print(json ? JSON.stringify(item) : documentLine(item));
      left -= page.items.length;
      cursor = page.nextCursor;
      more = cursor !== undefined;
    } while (cursor !== undefined && left > 0);
  });
  if (more && !json) terminal.note('There are more; --all lists them.');
  return 0;
}

export function pagePath(path: string, limit: number, cursor: string | undefined): string {
  return `${path}?limit=${limit}${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
}

export function parsePage(value: unknown): { items: readonly unknown[]; nextCursor: string | undefined } {
  const { items, nextCursor } = record(value);
  if (!Array.isArray(items)) throw unexpected('a list');
  return { items, nextCursor: typeof nextCursor === 'string' && nextCursor !== '' ? nextCursor : undefined };
}

function documentLine(item: unknown): string {
  const { documentId, updatedAt, current } = record(item);
  const { size, filename, contentType } = record(current);
  const bytes = typeof size === 'number' ? formatBytes(size) : '';
  return printable([documentId, updatedAt, bytes.padStart(10), filename ?? contentType].join('  '));
}
