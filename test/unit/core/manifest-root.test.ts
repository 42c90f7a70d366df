import fc from 'fast-check';
import t from 'tap';
import { BlockList } from '../../../src/core/block-list.ts';
import type { BlobKey, BlockId, Sha256 } from '../../../src/core/digest.ts';
import type { DocumentId, OrgId, VersionId } from '../../../src/core/ids.ts';
import { encodeManifestPages, manifestRootOf } from '../../../src/core/manifest.ts';
import { isManifestFault, ROOT_AT } from '../../../src/core/manifest-format.ts';
import {
  decodeManifestRoot,
  encodeManifestRoot,
  isManifestRoot,
  type ManifestRootPage,
  pageIndexAt,
} from '../../../src/core/manifest-root.ts';

const blocks = new BlockList();
blocks.push('11'.repeat(32) as BlockId, 1_048_576);
blocks.push('22'.repeat(32) as BlockId, 4242);

const embedded: ManifestRootPage = {
  orgId: '01981b6e-0000-7000-8000-000000000001' as OrgId,
  documentId: '01981b6e-0000-7000-8000-000000000002' as DocumentId,
  versionId: '01981b6e-0000-7000-8000-000000000003' as VersionId,
  blob: `b3:${'ab'.repeat(32)}` as BlobKey,
  size: blocks.size,
  sha256: 'cd'.repeat(32) as Sha256,
  chunker: 'fixed-1m',
  manifestRoot: manifestRootOf(blocks),
  createdAtMs: 1_790_000_000_123,
  filename: 'Vertrag – Anlage 3.pdf',
  contentType: 'application/pdf',
  entryCount: 2,
  pages: { kind: 'embedded', page: encodeManifestPages(blocks)[0] as Buffer },
};
const empty: ManifestRootPage = { ...embedded, size: 0, entryCount: 0, pages: { kind: 'none' } };
const linked: ManifestRootPage = {
  ...embedded,
  size: 9_000_000_000,
  entryCount: 8584,
  pages: {
    kind: 'linked',
    links: [
      { id: '33'.repeat(32) as BlockId, firstOffset: 0 },
      { id: '44'.repeat(32) as BlockId, firstOffset: 4_294_967_296 },
      { id: '55'.repeat(32) as BlockId, firstOffset: 8_589_934_592 },
    ],
  },
};

for (const [name, root] of Object.entries({ embedded, empty, linked })) {
  t.test(`a root page with ${name} pages survives encoding and decoding`, async (t) => {
    const bytes = encodeManifestRoot(root);
    t.ok(isManifestRoot(bytes));
    const decoded = decodeManifestRoot(bytes);
    if (isManifestFault(decoded)) throw new Error(decoded.fault);
    t.strictSame(decoded, root);
    t.strictSame(encodeManifestRoot(decoded), bytes);
  });

  t.test(`every truncation of a root page with ${name} pages is a fault, and so is an extra byte`, async (t) => {
    const bytes = encodeManifestRoot(root);
    const accepted: number[] = [];
    for (let size = 0; size < bytes.length; size++) {
      if (!isManifestFault(decodeManifestRoot(bytes.subarray(0, size)))) accepted.push(size);
    }
    t.same(accepted, []);
    t.ok(isManifestFault(decodeManifestRoot(Buffer.concat([bytes, Buffer.alloc(1)]))));
  });

  t.test(`any byte of a root page with ${name} pages may be damaged without an exception`, async (t) => {
    const bytes = encodeManifestRoot(root);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = (damaged[at] as number) ^ change;
        return typeof decodeManifestRoot(damaged) === 'object';
      }),
    );
    t.pass('no exception');
  });
}

t.test('a missing file name is not an empty one', async (t) => {
  for (const filename of [undefined, '', 'x'.repeat(1024)]) {
    const decoded = decodeManifestRoot(encodeManifestRoot({ ...embedded, filename }));
    t.notOk(isManifestFault(decoded));
    if (!isManifestFault(decoded)) t.equal(decoded.filename, filename);
  }
});

t.test('a name that is not UTF-8 is a fault', async (t) => {
  const bytes = encodeManifestRoot({ ...embedded, chunker: 'fixed-1m' });
  bytes[ROOT_AT.strings + 2] = 0xff;
  t.match(decodeManifestRoot(bytes), { fault: /UTF-8/ });
});

t.test('size, entry count and pages that contradict each other are a fault', async (t) => {
  const wrong: readonly ManifestRootPage[] = [
    { ...embedded, size: embedded.size + 1 },
    { ...embedded, entryCount: 3 },
    { ...embedded, entryCount: 5000 },
    { ...empty, size: 1 },
    { ...linked, entryCount: 4096 },
    { ...linked, size: 8_589_934_592 },
  ];
  for (const root of wrong) t.ok(isManifestFault(decodeManifestRoot(encodeManifestRoot(root))));
});

t.test('other records are not taken for root pages', async (t) => {
  t.notOk(isManifestRoot(encodeManifestPages(blocks)[0] as Buffer));
  t.notOk(isManifestRoot(Buffer.alloc(1000)));
  t.notOk(isManifestRoot(Buffer.alloc(0)));
});

t.test('the page of an offset is the last that starts at or before it', async (t) => {
  if (linked.pages.kind !== 'linked') throw new Error('unreachable');
  const { links } = linked.pages;
  t.equal(pageIndexAt(links, 0), 0);
  t.equal(pageIndexAt(links, 4_294_967_295), 0);
  t.equal(pageIndexAt(links, 4_294_967_296), 1);
  t.equal(pageIndexAt(links, 8_999_999_999), 2);
});
