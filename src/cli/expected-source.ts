import { isHexDigest } from '../core/digest.ts';
import { QuasarError } from '../core/errors.ts';
import { type Flags, usage } from './flags.ts';
import { formatCount } from './units.ts';

/** What a source must be to be stored, of --size, --sha256 and --b3; digests in hex. */
export interface ExpectedSource {
  readonly size: number | undefined;
  readonly sha256: string | undefined;
  readonly blake3: string | undefined;
}

/** @throws QuasarError `usage`. */
export function expectedSource(flags: Flags): ExpectedSource {
  return {
    size: flags.count('size'),
    sha256: digestOf(flags.text('sha256'), '--sha256', ''),
    blake3: digestOf(flags.text('b3'), '--b3', 'b3:'),
  };
}

export const anySource: ExpectedSource = { size: undefined, sha256: undefined, blake3: undefined };

function digestOf(text: string | undefined, flag: string, prefix: string): string | undefined {
  if (text === undefined) return undefined;
  const hex = text.toLowerCase();
  const digits = hex.startsWith(prefix) ? hex.slice(prefix.length) : hex;
  if (!isHexDigest(digits)) throw usage(`${flag} takes 64 hex digits, not "${text}".`);
  return digits;
}

/** Compares what is known of the source so far. @throws QuasarError `source_differs`. */
export function assertExpected(expected: ExpectedSource, read: Partial<ExpectedSource>): void {
  if (expected.size !== undefined && read.size !== undefined && read.size !== expected.size) {
    throw differs(`It has ${formatCount(read.size)} bytes, not the ${formatCount(expected.size)} of --size`);
  }
  for (const [name, flag] of [
    ['sha256', '--sha256'],
    ['blake3', '--b3'],
  ] as const) {
    if (expected[name] !== undefined && read[name] !== undefined && read[name] !== expected[name]) {
      throw differs(`Its digest is ${read[name]}, not the one of ${flag}`);
    }
  }
}

/** Before the end of a stream is reached. @throws QuasarError `source_differs`. */
export function assertNotTooLong({ size }: ExpectedSource, soFar: number): void {
  if (size !== undefined && soFar > size) throw differs(`It has more than the ${formatCount(size)} bytes of --size`);
}

function differs(fact: string): QuasarError {
  return new QuasarError('source_differs', { op: 'cli.put', message: `${fact}; nothing of it was stored.` });
}
