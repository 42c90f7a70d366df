import { QuasarError } from '../core/errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'It does not exist.',
  EISDIR: 'It is a folder.',
  ENOTDIR: 'A part of its path is no folder.',
  ENOSPC: 'The disk is full.',
  EROFS: 'The disk is read-only.',
};

/** What the file system said about a local file, as a sentence; with `path` when the message stands alone. Ours pass. */
export function fileFault(cause: unknown, verb: 'read' | 'written', path?: string): QuasarError {
  if (cause instanceof QuasarError) return cause;
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const refused = code === 'EACCES' || code === 'EPERM' ? `It may not be ${verb}.` : undefined;
  const reason = reasons[code] ?? refused ?? `It cannot be ${verb}: ${message}`;
  return new QuasarError('file_unreadable', {
    op: 'cli.file',
    message: path === undefined ? reason : `${path}: ${reason}`,
    cause,
  });
}
