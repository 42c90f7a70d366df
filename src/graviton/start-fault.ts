import { QuasarError } from '../core/errors.ts';
import { diskFaultOf, isDiskError } from '../segment/disk-fault.ts';
import { NotAFileError } from '../segment/not-a-file.ts';

/**
 * What the file system said when a node was opened, as a sentence that names the path and what to do. Ours pass, and so
 * do errors that are none of the system's.
 */
export function explainStart(error: unknown, directory: string): unknown {
  if (error instanceof QuasarError || !isDiskError(error)) return error;
  const { path = directory } = error as NodeJS.ErrnoException;
  const fault = diskFaultOf(error);
  const code = { full: 'storage_full', passing: 'storage_busy', final: 'storage_unusable' } as const;
  return new QuasarError(code[fault], {
    op: 'graviton.open',
    message: sentence(error as NodeJS.ErrnoException, path),
    cause: error,
  });
}

function sentence(error: NodeJS.ErrnoException, path: string): string {
  if (error instanceof NotAFileError) return `${error.message} Move it away, and put the file back from a backup if it is gone.`;
  switch (error.code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return `${path} is not a folder, where the storage node keeps one. Move it away, and put the folder back from a backup if it is gone.`;
    case 'EACCES':
    case 'EPERM':
      return `${path} may not be read and written by the user of this process. Give the storage folder to that user.`;
    case 'EROFS':
      return `${path} lies on a file system that is mounted read-only. Look into the kernel log for the reason, then mount it for writing.`;
    case 'EIO':
      return `The disk does not give ${path}. Look into the kernel log; copy the folder to a healthy disk first.`;
    default:
      return `${path} cannot be used: ${error.message}`;
  }
}
