import { usage } from './flags.ts';
import { documentPath } from './version-selector.ts';

/** @throws QuasarError `usage` for a label that would be another path; the server judges the rest. */
export function labelPath(document: string, label: string): string {
  if (!/^[A-Za-z0-9]/.test(label)) throw usage(`LABEL begins with a letter or a digit, not as "${label}" does.`);
  return `${documentPath(document)}/labels/${encodeURIComponent(label)}`;
}
