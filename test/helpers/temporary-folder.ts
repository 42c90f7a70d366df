import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A fresh folder that is gone when the test is over. */
export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'quasar-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
