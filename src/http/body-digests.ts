import { createHash, type Hash } from 'node:crypto';
import { QuasarError } from '../core/errors.ts';
import type { Exchange } from './edge.ts';

export type DigestAlgorithm = 'sha256' | 'sha512' | 'sha1' | 'md5';

/** A digest that a client sent with a body, to be compared with the bytes that came. */
export interface AnnouncedDigest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
  /** As the header is spelled. */
  readonly header: string;
  /** Of the whole file, not of the bytes of this request alone: the two differ where a request carries a part. */
  readonly whole: boolean;
}

/**
 * Every digest the headers announce: RFC 9530 fields, the older `Digest` and `Content-MD5`, and those of S3. One that cannot
 * be read, or whose algorithm is not computed here, is refused: its client believes the bytes to be checked.
 * @throws QuasarError `bad_parameter`.
 */
export function announcedDigests(exchange: Pick<Exchange, 'header'>): readonly AnnouncedDigest[] {
  const found: AnnouncedDigest[] = [];
  for (const { name, header, whole, read } of FIELDS) {
    const value = exchange.header(name);
    if (value === undefined) continue;
    for (const { algorithm, hex } of read(value, header)) {
      if (found.some((other) => other.header === header && other.algorithm === algorithm && other.hex !== hex)) {
        throw malformed(header, `${header} announces two different digests of one algorithm.`);
      }
      found.push({ algorithm, hex, header, whole });
    }
  }
  return found;
}

export interface BodyVerifier {
  observe(bytes: Uint8Array): void;
  /** @throws QuasarError `digest_mismatch`. */
  verify(): void;
}

/** Hashes what passes, by each algorithm once; undefined when nothing was announced. */
export function verifierOf(announced: readonly AnnouncedDigest[]): BodyVerifier | undefined {
  if (announced.length === 0) return undefined;
  const hashes = new Map<DigestAlgorithm, Hash>();
  for (const { algorithm } of announced) if (!hashes.has(algorithm)) hashes.set(algorithm, createHash(algorithm));
  return {
    observe: (bytes) => {
      for (const hash of hashes.values()) hash.update(bytes);
    },
    verify: () => {
      const received = new Map([...hashes].map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
      for (const { algorithm, hex, header } of announced) {
        const actual = received.get(algorithm);
        if (actual === hex) continue;
        throw new QuasarError('digest_mismatch', {
          op: 'upload.receive',
          details: { header, announced: { [algorithm]: hex }, received: { [algorithm]: actual } },
        });
      }
    },
  };
}

type Read = (value: string, header: string) => readonly { readonly algorithm: DigestAlgorithm; readonly hex: string }[];

/** A dictionary of byte sequences (RFC 8941 3.2): `sha-256=:BASE64:, sha-512=:BASE64:`. */
const readDictionary: Read = (value, header) =>
  value.split(',').map((member) => {
    const [, name, base64] = MEMBER.exec(member.trim()) ?? [];
    if (name === undefined || base64 === undefined) throw malformed(header, `${header} must look like sha-256=:BASE64:.`);
    return decode(header, algorithmOf(header, name), base64);
  });

/** RFC 3230: `SHA-256=BASE64,MD5=BASE64`; algorithms in any case. */
const readInstanceDigests: Read = (value, header) =>
  value.split(',').map((member) => {
    const [, name, base64] = INSTANCE_MEMBER.exec(member.trim()) ?? [];
    if (name === undefined || base64 === undefined) throw malformed(header, `${header} must look like SHA-256=BASE64.`);
    return decode(header, algorithmOf(header, name.toLowerCase()), base64);
  });

function readBase64(algorithm: DigestAlgorithm): Read {
  return (value, header) => [decode(header, algorithm, value)];
}

/** Of a signed request of S3: hex, or that the payload is not signed. Framing is refused before (`body-rules.ts`). */
const readPayloadHash: Read = (value, header) => {
  if (value === 'UNSIGNED-PAYLOAD') return [];
  if (!/^[0-9a-f]{64}$/.test(value)) throw malformed(header, `${header} must be 64 lower-case hex digits or UNSIGNED-PAYLOAD.`);
  return [{ algorithm: 'sha256', hex: value }];
};

function algorithmOf(header: string, name: string): DigestAlgorithm {
  const algorithm = ALGORITHMS.get(name);
  if (algorithm !== undefined) return algorithm;
  const known = [...ALGORITHMS.keys()].join(', ');
  throw malformed(header, `${header} has a digest by ${name.slice(0, 32)}, which is not computed here. Send one of ${known}.`);
}

/** Only the canonical spelling: two spellings of one digest would be two ways to be misread. */
function decode(header: string, algorithm: DigestAlgorithm, base64: string): { algorithm: DigestAlgorithm; hex: string } {
  const bytes = Buffer.from(base64, 'base64');
  const size = SIZES[algorithm];
  if (bytes.byteLength !== size || bytes.toString('base64') !== base64) {
    throw malformed(header, `${header} must hold the ${size} bytes of a ${algorithm} digest in base64.`);
  }
  return { algorithm, hex: bytes.toString('hex') };
}

function malformed(parameter: string, message: string): QuasarError {
  return new QuasarError('bad_parameter', { op: 'http.parseDigests', message, details: { parameter } });
}

const ALGORITHMS: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
  ['sha', 'sha1'],
  ['md5', 'md5'],
]);
const SIZES: Readonly<Record<DigestAlgorithm, number>> = { sha256: 32, sha512: 64, sha1: 20, md5: 16 };
const MEMBER = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):(?:;.*)?$/;
const INSTANCE_MEMBER = /^([A-Za-z][A-Za-z0-9-]*)=([A-Za-z0-9+/]+=*)$/;

const FIELDS: readonly { readonly name: string; readonly header: string; readonly whole: boolean; readonly read: Read }[] = [
  { name: 'content-digest', header: 'Content-Digest', whole: false, read: readDictionary },
  { name: 'repr-digest', header: 'Repr-Digest', whole: true, read: readDictionary },
  { name: 'digest', header: 'Digest', whole: true, read: readInstanceDigests },
  { name: 'content-md5', header: 'Content-MD5', whole: false, read: readBase64('md5') },
  { name: 'x-amz-checksum-sha256', header: 'x-amz-checksum-sha256', whole: false, read: readBase64('sha256') },
  { name: 'x-amz-checksum-sha1', header: 'x-amz-checksum-sha1', whole: false, read: readBase64('sha1') },
  { name: 'x-amz-content-sha256', header: 'x-amz-content-sha256', whole: false, read: readPayloadHash },
];

/** The names of the headers above, in lower case. */
export const digestHeaders: readonly string[] = FIELDS.map(({ name }) => name);

/** Whether a header, by its name in lower case, holds a digest of the body that is none of those above. */
export function promisesDigest(name: string): boolean {
  return DIGEST_NAME.test(name) && !OF_SOMETHING_ELSE.test(name) && !digestHeaders.includes(name);
}

/** Such as `x-amz-checksum-sha512`, `unencoded-digest`, `x-bz-content-sha1`, `x-oss-hash-crc64ecma`. */
const DIGEST_NAME =
  /(?:^|-)(?:checksum|digest|md5|sha-?(?:1|2|3|224|256|384|512)|crc(?:32c?|64[a-z]*)?|xxh(?:ash)?(?:3|32|64|128)?|blake(?:2b|2s|3)?|adler32)$/;
/** What a client would like to hear, and what proxies tell of certificates. */
const OF_SOMETHING_ELSE = /^want-|ssl|tls|cert|client/;
