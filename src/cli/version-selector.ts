import { type DocumentId, parseId, type VersionId } from '../core/ids.ts';
import type { FlagSpec } from './command.ts';
import { type Flags, usage } from './flags.ts';

/** Which version of a document a command is about; without one of them the current version. */
export const selectorFlags: readonly FlagSpec[] = [
  { name: 'version', kind: 'text', value: 'ID', description: 'This version of the document.' },
  { name: 'label', kind: 'text', value: 'LABEL', description: 'The version this label stands at.' },
  {
    name: 'as-of',
    kind: 'text',
    value: 'TIME',
    unit: 'like 2026-11-21T09:00:00Z',
    description: 'Where the label stood then; without --label, what was current then.',
  },
];

/** What the flags are in a query, `?` in front; '' when none is given. @throws QuasarError `usage`, `bad_parameter`. */
export function selectorQuery(flags: Flags): string {
  const version = flags.text('version');
  const label = flags.text('label');
  const asOf = flags.text('as-of');
  if (version !== undefined && (label !== undefined || asOf !== undefined)) {
    throw usage('--version stands alone: a version has neither label nor time.');
  }
  const query = new URLSearchParams();
  if (version !== undefined) query.set('version', parseId<VersionId>(version, '--version'));
  if (label !== undefined) query.set('label', label);
  if (asOf !== undefined) query.set('asOf', asOf);
  return query.size === 0 ? '' : `?${query}`;
}

/** @throws QuasarError `usage` for a key: it names bytes, which have no versions. */
export function assertDocument(target: string): void {
  if (target.startsWith('b3:')) throw usage('--version, --label and --as-of go with a document, not with a key.');
}

/** @throws QuasarError `bad_parameter`. */
export function documentPath(document: string): string {
  return `/v1/documents/${parseId<DocumentId>(document, 'DOCUMENT')}`;
}
