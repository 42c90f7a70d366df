import { createHash } from 'node:crypto';
import type { SessionWish } from './upload-client.ts';

/** What of a request makes it another one. */
export type IdentifyingWish = Pick<SessionWish, 'documentId' | 'folderId' | 'filename' | 'contentType'>;

/**
 * The idempotency key of content that is stored under a name: the same bytes under the same name give the same key in every
 * run, so the server continues, or answers again, what it has. Where the file lies, and when it was written, do not matter.
 * A further version is another one behind each version (`after`): what a document was before, it can become again.
 */
export function idempotencyKeyOf(
  content: { readonly kind: 'whole' | 'session'; readonly blake3: string },
  wish: IdentifyingWish,
  after: string | undefined,
): string {
  const { documentId, folderId, filename, contentType } = wish;
  const parts = ['put', content.kind, content.blake3, documentId, folderId, filename, contentType, after];
  return `put-${createHash('sha256')
    .update(JSON.stringify(parts.map((part) => part ?? null)))
    .digest('hex')}`;
}
