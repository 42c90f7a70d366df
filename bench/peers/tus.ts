import type { Requests } from '../harness/file-store.ts';

/** One POST that makes an upload and sends all of it (tus 1.0.0, extension creation-with-upload). */
export function tusUpload(paths: Requests['paths'], size: number): Requests {
  return {
    method: 'POST',
    paths,
    headers: {
      'Tus-Resumable': '1.0.0',
      'Upload-Length': String(size),
      // With any other type the upload is made, and the body is ignored.
      'Content-Type': 'application/offset+octet-stream',
    },
  };
}
