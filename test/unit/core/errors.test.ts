import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type ErrorCode, errorTable, isQuasarError, QuasarError, toQuasarError } from '../../../src/core/errors.ts';
import { statusOf } from '../../../src/http/problem.ts';
import { repository } from '../../helpers/source-files.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

t.test('an error carries its code, kind and operation, and its title as message', async (t) => {
  const error = new QuasarError('storage_full', { op: 'upload.admit' });
  t.match(error, { code: 'storage_full', kind: 'full', op: 'upload.admit', message: errorTable.storage_full.title, details: {} });
  t.notOk('cause' in error);
  t.equal(new QuasarError('usage', { op: 'cli.run', message: 'No such flag.' }).message, 'No such flag.');
});

t.test('what is not ours becomes internal and stays the cause', async (t) => {
  const cause = new TypeError('x is not a function');
  const error = toQuasarError(cause, 'http.handle');
  t.match(error, { code: 'internal', op: 'http.handle' });
  t.equal(error.cause, cause);
  t.equal(toQuasarError(error, 'other.op'), error);
});

t.test('errors are told apart by code', async (t) => {
  const error = new QuasarError('corrupt', { op: 'graviton.readBlock' });
  t.ok(isQuasarError(error));
  t.ok(isQuasarError(error, 'corrupt'));
  t.notOk(isQuasarError(error, 'internal'));
  t.notOk(isQuasarError(new Error('corrupt'), 'corrupt'));
});

t.test('codes are snake_case, titles are sentences', async (t) => {
  for (const code of codes) {
    t.match(code, /^[a-z]+(_[a-z]+)*$/);
    t.match(errorTable[code].title, /^[A-Z].*\.$/, code);
  }
});

/** `### code` and then `*kind, status.*` or `*kind.*`: docs/errors.md holds one such section a code. */
function documented(): Map<string, { kind: string; status: string | undefined; text: string }> {
  const page = readFileSync(join(repository, 'docs', 'errors.md'), 'utf8');
  const sections = page.matchAll(/^### (\S+)\n\n\*(\w+)(?:, (\d{3}))?\.\* (.+?)(?=\n\n(?:#|$)|\n*$(?![\s\S]))/gms);
  return new Map(
    [...sections].map(([, code, kind, status, text]) => [code as string, { kind: kind as string, status, text: text as string }]),
  );
}

t.test('docs/errors.md explains every code, and no other', async (t) => {
  t.same([...documented().keys()].sort(), [...codes].sort());
});

t.test('docs/errors.md tells the kind and the HTTP status each code has', async (t) => {
  const page = documented();
  for (const code of codes) {
    t.equal(page.get(code)?.kind, errorTable[code].kind, code);
    const status = page.get(code)?.status;
    if (status !== undefined) t.equal(status, String(statusOf(code)), code);
  }
});

t.test('docs/errors.md says of each code what it means and what to do', async (t) => {
  for (const [code, { text }] of documented())
    t.ok(text.split(/[.!](\s|$)/).length > 2, `${code}: a sentence on the meaning, a sentence on what to do`);
});
