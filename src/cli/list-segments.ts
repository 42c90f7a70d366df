import { toTimestamp } from '../core/clock.ts';
import { type OrgId, parseId } from '../core/ids.ts';
import type { ManifestRootPage } from '../core/manifest-root.ts';
import type { CommandContext } from './command.ts';
import { noteProblems, withSegments } from './segment-store.ts';
import { listRoots } from './stored-blob.ts';
import { printable } from './terminal.ts';
import { formatBytes, formatCount } from './units.ts';

/** `quasar ls --segments`: one line per stored version, as the manifests in the segments name it. */
export async function listSegments(context: CommandContext): Promise<number> {
  const { flags, terminal, signal } = context;
  const json = flags.switch('json');
  const org = flags.text('org');
  const orgId = org === undefined ? undefined : parseId<OrgId>(org, '--org');
  let unreadable = 0;
  let problems = 0;
  await withSegments(context, async (node) => {
    noteProblems(node, terminal);
    problems = node.problems.length;
    for await (const finding of listRoots(node)) {
      signal.throwIfAborted();
      if ('root' in finding) {
        const { root } = finding;
        if (orgId !== undefined && root.orgId !== orgId) continue;
        await terminal.print(json ? JSON.stringify(rootView(root)) : rootLine(root));
      } else {
        unreadable += 1;
        terminal.note(`quasar: manifest ${finding.id}: ${finding.fault}`);
      }
    }
  });
  if (unreadable > 0)
    terminal.note(`${formatCount(unreadable)} manifests cannot be read; what they name is missing from this list.`);
  return unreadable + problems === 0 ? 0 : 6;
}

export function rootView(root: ManifestRootPage): Record<string, unknown> {
  return {
    key: root.blob,
    orgId: root.orgId,
    documentId: root.documentId,
    versionId: root.versionId,
    filename: root.filename ?? null,
    contentType: root.contentType,
    size: root.size,
    digests: { blake3: root.blob.slice(3), sha256: root.sha256 },
    manifestRoot: root.manifestRoot,
    chunker: root.chunker,
    createdAt: toTimestamp(root.createdAtMs),
  };
}

function rootLine(root: ManifestRootPage): string {
  const { blob, orgId, documentId, versionId, size, createdAtMs, filename, contentType } = root;
  const ids = [blob, orgId, documentId, versionId];
  const facts = [...ids, toTimestamp(createdAtMs), formatBytes(size).padStart(10), filename ?? contentType];
  return printable(facts.join('  '));
}
