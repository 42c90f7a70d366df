import { type ErrorCode, QuasarError } from '../core/errors.ts';

/** A refusal, with the flag that helps. */
export function withAdvice(failure: QuasarError): QuasarError {
  const advice = adviceFor(failure);
  if (advice === undefined) return failure;
  const { code, op, message, details } = failure;
  return new QuasarError(code, { op, message: `${message} ${advice}`, details, cause: failure });
}

/** An earlier run with the same content left something that this one cannot go on with. */
const leftBehind: readonly ErrorCode[] = [
  'upload_closed',
  'upload_expired',
  'upload_not_found',
  'finalize_conflict',
  'idempotency_mismatch',
  'document_disposed',
];

function adviceFor({ code, details }: QuasarError): string | undefined {
  if (leftBehind.includes(code)) return 'Add --again to store it as a new document.';
  if (code === 'bad_parameter' && details.parameter === 'filename') return 'Rename it, or give another name with --name.';
  if (code === 'source_differs') return 'Mend the source, or the value of the flag.';
  if (code === 'ref_taken') return 'Another document is linked to this path: name it with --as-version, or leave --update out.';
  if (code === 'version_conflict') return 'Run the command again, or add --as-version DOCUMENT to make a further version.';
  return undefined;
}
