import type { Driver } from './driver.ts';

/** A server that takes files by PUT below this path and serves them by GET, as WebDAV servers do. */
export function plainHttpDriver(base: string): Driver {
  return {
    kinds: ['upload', 'download', 'range', 'metadata'],
    upload: (name) => ({
      method: 'PUT',
      path: `${base}/${name}`,
      headers: { 'content-type': 'application/octet-stream' },
    }),
    accepted: (name) => ({ path: `${base}/${name}` }),
    read: (path, range) => ({
      method: 'GET',
      path,
      ...(range === undefined ? {} : { headers: { range: `bytes=${range.start}-${range.end - 1}` } }),
    }),
    metadata: (path) => ({ method: 'HEAD', path }),
  };
}
