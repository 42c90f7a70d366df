import type { Driver } from './driver.ts';
import { plainHttpDriver } from './plain-http.ts';

/** An S3 server with the bucket, and a prefix if wanted, in the path. Without signatures it is plain HTTP that also lists. */
export function s3Driver(base: string): Driver {
  const [, bucket = '', ...prefix] = base.split('/');
  const query = prefix.length === 0 ? '' : `&prefix=${encodeURIComponent(`${prefix.join('/')}/`)}`;
  return {
    ...plainHttpDriver(base),
    kinds: ['upload', 'download', 'range', 'metadata', 'list'],
    list: () => ({ method: 'GET', path: `/${bucket}?list-type=2&max-keys=100${query}` }),
  };
}
