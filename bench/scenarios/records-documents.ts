import { listDocuments } from '../harness/content.ts';
import { sendRequests } from '../harness/native-programs.ts';
import type { QuasarServer } from '../harness/quasar-server.ts';

export interface DocumentsWish {
  /** That no other document's filename begins with. */
  readonly prefix: string;
  /** A multiple of 16. */
  readonly count: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further parameters of the request, each with `&` in front. */
  readonly query?: string;
}

const SIZE = 1024;
const CONNECTIONS = 16;

/** Stores small documents and returns their ids. Throws when one is missing. */
export async function makeDocuments(
  server: QuasarServer,
  { prefix, count, headers, query = '' }: DocumentsWish,
): Promise<string[]> {
  const all = { ...server.headers, ...headers };
  const requests = { method: 'POST', paths: `/v1/documents?filename=${prefix}%d.bin${query}`, headers: all } as const;
  const { port } = server;
  const sent = await sendRequests({ port, requests, size: SIZE, connections: CONNECTIONS, repeat: count / CONNECTIONS });
  if (sent.requests !== count)
    throw new Error(`${sent.requests} of ${count} documents were taken: ${JSON.stringify(sent.statuses)}`);
  const made: string[] = [];
  for await (const { documentId, filename } of listDocuments(server)) {
    if (filename?.startsWith(prefix)) made.push(documentId);
    if (made.length === count) return made;
  }
  throw new Error(`${made.length} of ${count} documents are listed`);
}
