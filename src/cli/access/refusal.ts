import { isQuasarError, QuasarError } from '../../core/errors.ts';

/** Says in the sentence what the server says in the details: who is unknown, what the caller would hand on and has not, until when; or where to look. */
export function explainRefusal(error: unknown): unknown {
  if (!isQuasarError(error)) return error;
  const more = moreOf(error);
  if (more === undefined) return error;
  return new QuasarError(error.code, {
    op: 'cli.access',
    message: `${error.message} ${more}`,
    details: error.details,
    cause: error,
  });
}

function moreOf({ code, details }: QuasarError): string | undefined {
  const { missing, subjectId, retainUntil } = details;
  if (code === 'forbidden' && Array.isArray(missing)) return `You do not have yourself: ${missing.join(', ')}.`;
  if (code === 'subject_not_found' && typeof subjectId === 'string') return `It is ${subjectId}.`;
  if (code === 'document_held') return '"quasar stat DOCUMENT" tells why.';
  return typeof retainUntil === 'string' ? `It is kept until ${retainUntil}.` : undefined;
}
