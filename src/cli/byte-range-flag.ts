import { usage } from './flags.ts';

/** `A-B`, `A-` (to the end) or `-N` (the last N), as `--range` and the Range header have it. Both ends are included. */
export type ByteRange =
  | { readonly kind: 'from'; readonly first: number; readonly last: number | undefined }
  | { readonly kind: 'suffix'; readonly size: number };

/** @throws QuasarError `usage`. */
export function parseByteRange(text: string): ByteRange {
  const match = /^(\d{0,15})-(\d{0,15})$/.exec(text);
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') throw usage(`--range takes A-B, A- or -N in bytes, not "${text}".`);
  if (first === '') return { kind: 'suffix', size: Number(last) };
  if (last === '') return { kind: 'from', first: Number(first), last: undefined };
  if (Number(last) < Number(first)) throw usage(`--range ${text} ends before it starts.`);
  return { kind: 'from', first: Number(first), last: Number(last) };
}

/** The bytes of a blob of `size` bytes that a range covers, end exclusive; undefined when none is. */
export function resolveByteRange(range: ByteRange | undefined, size: number): { start: number; end: number } | undefined {
  if (range === undefined) return { start: 0, end: size };
  if (range.kind === 'suffix')
    return range.size === 0 || size === 0 ? undefined : { start: Math.max(0, size - range.size), end: size };
  if (range.first >= size) return undefined;
  return { start: range.first, end: Math.min(size, (range.last ?? size - 1) + 1) };
}
