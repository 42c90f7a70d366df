import { systemClock } from '../../src/core/clock.ts';
import type { Requests } from '../harness/file-store.ts';
import { answers, numbered, type PeerDriver, type PeerPlace } from './peer-store.ts';
import { type S3Credentials, S3Presigner, type S3Request } from './s3-presigner.ts';

/** What the peers that speak S3 have in common: one bucket, and plain PUT and GET of objects in it. */

export const BUCKET = 'bench';

export interface S3Access {
  readonly credentials: S3Credentials;
  /** Whether every request carries a signature, in its query; otherwise anyone may read and write. */
  readonly signed: boolean;
}

/** New ones for every store. */
export function randomCredentials(): S3Credentials {
  return { accessKey: `bench${randomHex(6)}`, secretKey: randomHex(20), region: 'us-east-1' };
}

export function randomHex(size: number): string {
  return Buffer.from(systemClock.random(size)).toString('hex');
}

export function s3Requests({ credentials, signed }: S3Access): Pick<PeerDriver, 'isReady' | 'reads' | 'writes'> {
  const requests = (method: Requests['method'], place: PeerPlace, paths: string | readonly string[]): Requests => ({
    method,
    paths,
    headers: {},
    ...(signed && typeof paths !== 'string' ? { paths: presign(place, credentials, method, paths) } : {}),
  });
  return {
    isReady: (place) => answers(place, `/${BUCKET}`),
    writes: (place, { batch, count }) => requests('PUT', place, signed ? numbered(objects(batch), count) : objects(batch)),
    reads: (place, { batch, count }) => requests('GET', place, numbered(objects(batch), count)),
  };
}

/** Makes the bucket, for everyone unless requests are signed. */
export async function makeBucket(place: PeerPlace, { credentials, signed }: S3Access): Promise<void> {
  await call(place, credentials, { method: 'PUT', path: `/${BUCKET}` }, '');
  if (!signed) await call(place, credentials, { method: 'PUT', path: `/${BUCKET}`, query: { policy: '' } }, publicPolicy());
}

function publicPolicy(): string {
  const Resource = [`arn:aws:s3:::${BUCKET}/*`];
  const Statement = [{ Effect: 'Allow', Principal: { AWS: ['*'] }, Action: ['s3:GetObject', 's3:PutObject'], Resource }];
  return JSON.stringify({ Version: '2012-10-17', Statement });
}

async function call(place: PeerPlace, credentials: S3Credentials, request: S3Request, body: string): Promise<void> {
  const path = signerOf(place, credentials).sign(request);
  const answer = await fetch(`http://127.0.0.1:${place.port}${path}`, { method: request.method, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${request.method} ${request.path} is answered ${answer.status}: ${text}`);
}

function presign(place: PeerPlace, credentials: S3Credentials, method: string, paths: readonly string[]): string[] {
  const signer = signerOf(place, credentials);
  return paths.map((path) => signer.sign({ method, path }));
}

function signerOf({ port }: PeerPlace, credentials: S3Credentials): S3Presigner {
  return new S3Presigner(credentials, { host: `127.0.0.1:${port}`, now: new Date(systemClock.now()) });
}

/** A folder a batch, as people name objects. */
function objects(batch: number): string {
  return `/${BUCKET}/${batch}/%d`;
}
