import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { blake3 } from '../../src/core/blake3.ts';
import { BLOCK_ENTRY_SIZE, BlockList } from '../../src/core/block-list.ts';
import { type BlockId, blobKeyOf, digestToHex, type Sha256 } from '../../src/core/digest.ts';
import type { DocumentId, OrgId, VersionId } from '../../src/core/ids.ts';
import { encodeManifestPages, manifestRootOf } from '../../src/core/manifest.ts';
import { isManifestFault, PAGE_AT, PAGE_LINK_SIZE, PAGE_MAGIC, ROOT_AT, ROOT_MAGIC } from '../../src/core/manifest-format.ts';
import { decodeManifestRoot, encodeManifestRoot, type ManifestRootPage } from '../../src/core/manifest-root.ts';

// Tests run from dist…/test/format; the document stays in the source tree.
const specification = readFileSync(new URL('../../../docs/format/manifest-v1.md', import.meta.url), 'utf8');

/** Rows `| offset | size | name | …` of the section with this heading. */
function tableOf(heading: string): { offset: number; size: string; name: string }[] {
  const section = specification.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  return Array.from(section.matchAll(/^\| (\d+) \| ([^|]+) \| `(\w+)` \|/gm), (row) => ({
    offset: Number(row[1]),
    size: (row[2] as string).trim(),
    name: row[3] as string,
  }));
}

for (const [heading, fields] of [
  ['4. Page', PAGE_AT],
  ['5. Root page', ROOT_AT],
] as const) {
  t.test(`section "${heading}" has the offsets of the code, without gaps`, async (t) => {
    const rows = tableOf(heading);
    t.same(Object.fromEntries(rows.map((row) => [row.name, row.offset])), fields);
    rows.slice(0, -1).forEach((row, index) => {
      t.equal(row.offset + Number(row.size), rows[index + 1]?.offset, row.name);
    });
  });
}

t.test('magic numbers and sizes of the document are those of the code', async (t) => {
  for (const [name, magic] of [
    ['QMPG', PAGE_MAGIC],
    ['QMRT', ROOT_MAGIC],
  ] as const) {
    t.equal(Buffer.from(name).readUInt32LE(), magic);
    t.match(specification, `\`${name}\``);
  }
  t.match(specification, `${BLOCK_ENTRY_SIZE} bytes an entry`);
  t.match(specification, `${PAGE_LINK_SIZE} bytes a link`);
});

const contents = [Buffer.alloc(1_048_576), Buffer.from('Quasar')] as const;

function workedExample(): ManifestRootPage {
  const blocks = new BlockList();
  for (const bytes of contents) blocks.push(digestToHex<BlockId>(blake3(bytes)), bytes.length);
  return {
    orgId: '01981b6e-0000-7000-8000-00000000000a' as OrgId,
    documentId: '01981b6e-0000-7000-8000-00000000000b' as DocumentId,
    versionId: '01981b6e-0000-7000-8000-00000000000c' as VersionId,
    blob: blobKeyOf(digestToHex(blake3(Buffer.concat(contents)))),
    size: blocks.size,
    sha256: createHash('sha256').update(Buffer.concat(contents)).digest('hex') as Sha256,
    chunker: 'fixed-1m',
    manifestRoot: manifestRootOf(blocks),
    createdAtMs: 1_790_000_000_123,
    filename: 'akte.bin',
    contentType: 'application/octet-stream',
    entryCount: 2,
    pages: { kind: 'embedded', page: encodeManifestPages(blocks)[0] as Buffer },
  };
}

t.test('the worked example is what the encoder writes and the decoder reads', async (t) => {
  const dump = Array.from(specification.matchAll(/^([0-9a-f]{4}) {2}((?:[0-9a-f]{2} ){1,16})/gm));
  const bytes = Buffer.from(dump.map((line) => (line[2] as string).replaceAll(' ', '')).join(''), 'hex');
  t.equal(hexDump(bytes), hexDump(encodeManifestRoot(workedExample())));
  const decoded = decodeManifestRoot(bytes);
  t.notOk(isManifestFault(decoded));
  t.strictSame(decoded, workedExample());
  t.match(specification, blake3(bytes).toString('hex'));
});

function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = Buffer.from(bytes.subarray(at, at + 16));
    const hex = Array.from(row, (byte) => `${byte.toString(16).padStart(2, '0')} `).join('');
    const text = row.toString('latin1').replaceAll(/[^ -~]/g, '.');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(48)} ${text}`);
  }
  return lines.join('\n');
}
