import type { DocumentFilter, ListedDocument, Page } from '../../catalog/catalog.ts';
import { limits } from '../../core/limits.ts';
import type { Caller } from '../caller.ts';
import type { Services } from './services.ts';

/**
 * A page of the documents the caller may read. It looks on until it knows of one more than it shows, so that whether there
 * is a next page says nothing about hidden ones; only where it has looked at `limits.listExaminedMax` without, the page ends
 * early. After a first look it looks at many at a time: where most are hidden, a small page would cost a statement for each of
 * them. A cursor is sealed, so that it may name a document that is hidden.
 */
export async function listReadable(
  { limit, after, filter }: { limit: number; after: string | undefined; filter: DocumentFilter },
  { catalog, gate }: Services,
  caller: Caller,
): Promise<Page<ListedDocument>> {
  const shown: ListedDocument[] = [];
  let position = after;
  for (let examined = 0; examined < limits.listExaminedMax; ) {
    const size = examined === 0 ? limit + 1 : Math.max(limit + 1, limits.accessListBatchMax);
    const page = await catalog.listDocuments(caller, { limit: size, after: position, filter });
    const readable = await gate.readable(
      caller,
      page.items.map(({ documentId }) => ({ kind: 'document', documentId })),
    );
    for (const item of page.items.filter((_, index) => readable[index])) {
      if (shown.length === limit) return { items: shown, next: shown.at(-1)?.position };
      shown.push(item);
    }
    if (page.next === undefined) return { items: shown, next: undefined };
    position = page.next;
    examined += page.items.length;
  }
  return { items: shown, next: position };
}
