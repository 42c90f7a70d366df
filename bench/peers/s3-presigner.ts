import { createHash, createHmac } from 'node:crypto';

/** Signature Version 4 in the query (docs.aws.amazon.com, "Authenticating requests: using query parameters"), for S3. */

const ALGORITHM = 'AWS4-HMAC-SHA256';
const EXPIRES_SECONDS = 86_400;

export interface S3Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

export interface S3Request {
  readonly method: string;
  /** Without a query, of characters that need no escape. */
  readonly path: string;
  /** Parameters beside those of the signature; an empty value for one without. */
  readonly query?: Readonly<Record<string, string>>;
}

/**
 * Signs paths for a day, so that clients which know nothing of S3 can send them. The body is not signed, and of the
 * headers Host alone is. Tens of thousands a second: the key is derived once.
 */
export class S3Presigner {
  readonly #host: string;
  readonly #timestamp: string;
  readonly #scope: string;
  readonly #credential: string;
  readonly #key: Buffer;

  constructor({ accessKey, secretKey, region }: S3Credentials, options: { readonly host: string; readonly now: Date }) {
    this.#host = options.host;
    this.#timestamp = options.now.toISOString().replaceAll(/[:-]|\.\d+/g, '');
    const date = this.#timestamp.slice(0, 8);
    this.#scope = `${date}/${region}/s3/aws4_request`;
    this.#credential = `${accessKey}/${this.#scope}`;
    this.#key = [date, region, 's3', 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${secretKey}`));
  }

  /** Returns the path with its query. */
  sign({ method, path, query = {} }: S3Request): string {
    const parameters = canonicalQuery({
      ...query,
      'X-Amz-Algorithm': ALGORITHM,
      'X-Amz-Credential': this.#credential,
      'X-Amz-Date': this.#timestamp,
      'X-Amz-Expires': String(EXPIRES_SECONDS),
      'X-Amz-SignedHeaders': 'host',
    });
    const request = [method, path, parameters, `host:${this.#host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n');
    const digest = createHash('sha256').update(request).digest('hex');
    const signature = hmac(this.#key, [ALGORITHM, this.#timestamp, this.#scope, digest].join('\n')).toString('hex');
    return `${path}?${parameters}&X-Amz-Signature=${signature}`;
  }
}

function canonicalQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
