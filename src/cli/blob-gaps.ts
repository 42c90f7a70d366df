import type { BlockId } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import type { ManifestRootPage } from '../core/manifest-root.ts';
import { type BlockSource, pagesFrom } from './stored-blob.ts';

/** Bytes of a blob that cannot be read back, end exclusive. */
export interface Gap {
  readonly start: number;
  readonly end: number;
  readonly reason: string;
}

/**
 * Asks of every block of a blob why it cannot be read (undefined: it can), and joins neighbours with the same answer.
 * A page that cannot be read leaves everything behind it unknown.
 */
export async function findGaps(
  source: BlockSource,
  root: ManifestRootPage,
  faultOf: (id: BlockId, size: number) => string | undefined | Promise<string | undefined>,
): Promise<Gap[]> {
  const gaps: Gap[] = [];
  let known = 0;
  try {
    for await (const page of pagesFrom(source, root)) {
      for (let entry = 0; entry < page.count; entry++) {
        const reason = await faultOf(page.idAt(entry), page.sizeAt(entry));
        const start = page.offsetAt(entry);
        if (reason !== undefined) join(gaps, { start, end: start + page.sizeAt(entry), reason });
      }
      known = page.end;
    }
  } catch (error) {
    if (!(error instanceof QuasarError) || error.kind !== 'corrupt') throw error;
    join(gaps, { start: known, end: root.size, reason: `its manifest cannot be read: ${error.message}` });
    return gaps;
  }
  if (known !== root.size)
    join(gaps, { start: Math.min(known, root.size), end: Math.max(known, root.size), reason: 'its manifest does not cover it' });
  return gaps;
}

function join(gaps: Gap[], gap: Gap): void {
  const last = gaps.at(-1);
  if (last?.end === gap.start && last.reason === gap.reason) gaps[gaps.length - 1] = { ...last, end: gap.end };
  else gaps.push(gap);
}
