import t from 'tap';
import type { DocumentId, VersionId } from '../../../../src/core/ids.ts';
import { limits } from '../../../../src/core/limits.ts';
import type { Caller } from '../../../../src/http/caller.ts';
import { listReadable } from '../../../../src/http/handlers/list-readable.ts';
import type { Services } from '../../../../src/http/handlers/services.ts';

const anything = { label: undefined, namespace: undefined, createdFromMs: undefined, createdBeforeMs: undefined };

/** Documents 0, 1, 2, …, of which some may be read. A cursor is the number of the last one seen. */
class Shelf {
  readonly #count: number;
  readonly #mayRead: (index: number) => boolean;
  statements = 0;
  examined = 0;

  constructor(count: number, mayRead: (index: number) => boolean) {
    this.#count = count;
    this.#mayRead = mayRead;
  }

  /** The numbers on a page, and its cursor. */
  async page(limit: number, after?: string): Promise<{ readonly shown: readonly number[]; readonly next: string | undefined }> {
    const { items, next } = await listReadable({ limit, after, filter: anything }, this.#services(), {} as Caller);
    return { shown: items.map(({ documentId }) => Number(documentId)), next };
  }

  /** All pages, one after the other. */
  async pages(limit: number): Promise<number[][]> {
    const pages: number[][] = [];
    for (let after: string | undefined; ; ) {
      const { shown, next } = await this.page(limit, after);
      pages.push([...shown]);
      if (next === undefined) return pages;
      after = next;
    }
  }

  #services(): Services {
    const listDocuments = async (_: unknown, { limit, after }: { limit: number; after: string | undefined }) => {
      this.statements += 1;
      const from = after === undefined ? 0 : Number(after) + 1;
      const count = Math.max(0, Math.min(limit, this.#count - from));
      this.examined += count;
      const items = Array.from({ length: count }, (_, index) => ({
        documentId: String(from + index) as DocumentId,
        currentVersionId: String(from + index) as VersionId,
        position: String(from + index),
      }));
      return { items, next: from + count < this.#count ? String(from + count - 1) : undefined };
    };
    const readable = async (_: unknown, things: readonly { documentId: DocumentId }[]) =>
      things.map(({ documentId }) => this.#mayRead(Number(documentId)));
    return { catalog: { listDocuments }, gate: { readable } } as unknown as Services;
  }
}

t.test('every document that may be read is on one page, in order, and pages are full but for the last', async (t) => {
  for (const mayRead of [
    () => true,
    () => false,
    (index: number) => index % 3 === 1,
    (index: number) => index > 400 || index < 2,
  ]) {
    const wanted = Array.from({ length: 450 }, (_, index) => index).filter(mayRead);
    for (const limit of [1, 2, 7, 49, 50, 450, 1000]) {
      const pages = await new Shelf(450, mayRead).pages(limit);
      t.strictSame(pages.flat(), wanted);
      t.ok(pages.slice(0, -1).every((page) => page.length === limit));
      t.equal(pages.length, Math.max(1, Math.ceil(wanted.length / limit)), 'a page more would be empty, and tell of hidden ones');
    }
  }
});

t.test('hidden documents behind the last that is shown make no next page', async (t) => {
  t.equal((await new Shelf(300, (index) => index < 5).page(5)).next, undefined);
  t.equal((await new Shelf(300, (index) => index < 6).page(5)).next, '4');
  t.equal((await new Shelf(300, (index) => index === 299).page(1)).next, undefined);
});

t.test('however many are hidden, the work for one page is bounded, and the next one goes on', async (t) => {
  const count = limits.listExaminedMax * 3;
  const last = count - 1;
  for (const limit of [1, 50, limits.pageSizeMax]) {
    const shelf = new Shelf(count, (index) => index === last);
    const { shown, next } = await shelf.page(limit);
    t.strictSame(shown, []);
    t.not(next, undefined);
    t.ok(shelf.examined < limits.listExaminedMax + Math.max(limit + 1, limits.accessListBatchMax));
    t.ok(shelf.statements <= Math.ceil(limits.listExaminedMax / limits.accessListBatchMax) + 1, `${shelf.statements} statements`);
    t.strictSame((await shelf.pages(limit)).flat(), [last]);
  }
});

t.test('where nothing is hidden a page takes one statement', async (t) => {
  const shelf = new Shelf(1000, () => true);
  await shelf.page(10);
  t.equal(shelf.statements, 1);
  t.equal(shelf.examined, 11);
});
