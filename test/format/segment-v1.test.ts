import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import * as format from '../../src/segment/format.ts';
import { readSources, repository } from '../helpers/source-files.ts';

const specification = readFileSync(join(repository, 'docs/format/segment-v1.md'), 'utf8');
const golden = readFileSync(join(repository, 'test/format/golden/v1/seg/0000000000000001.seg'));

const structures: Readonly<Record<string, format.Structure>> = {
  '6. Superblock': format.SUPERBLOCK,
  '7. Record header': format.RECORD_HEADER,
  '8. Commit frame': format.COMMIT_FRAME,
  '9.1 Footer entry': format.FOOTER_ENTRY,
  '9.2 Footer trailer': format.FOOTER_TRAILER,
  '12. NODE': format.NODE_COPY,
  '13.1 Entry header': format.MANIFEST_HEADER,
  '13.2 Body of create': format.MANIFEST_CREATE,
  '13.3 Body of seal': format.MANIFEST_SEAL,
  '13.4 Body of replace': format.MANIFEST_REPLACE,
  '13.5 Body of drop': format.MANIFEST_DROP,
  '13.6 Body of suspect': format.MANIFEST_SUSPECT,
  '13.7 Body of damage': format.MANIFEST_DAMAGE,
  '13.8 Body of accept': format.MANIFEST_ACCEPT,
  '13.9 Body of whole': format.MANIFEST_WHOLE,
  '13.10 Body of lost': format.MANIFEST_LOST,
};

/** The text below a heading, up to the next heading of any depth. */
function section(heading: string): string {
  const found = specification.split(/^#{2,3} /m).find((text) => text.startsWith(`${heading}\n`));
  if (found === undefined) throw new Error(`the specification has no section "${heading}"`);
  return found;
}

/** Cells of the table rows of a section. */
function rowsOf(heading: string): string[][] {
  const lines = section(heading).split('\n');
  return lines
    .filter((line) => /^\| [\d`]/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

for (const [heading, structure] of Object.entries(structures)) {
  t.test(`the table of "${heading}" is that of the code`, async (t) => {
    const rows = rowsOf(heading).filter((cells) => cells.length === 5);
    const documented = rows.map(([at, size, name, type]) => ({
      name: name?.replaceAll('`', ''),
      at: Number(at),
      size: Number(size),
      type,
    }));
    const coded = Object.entries(structure.fields).map(([name, { at, size, type }]) => ({ name, at, size, type }));
    t.strictSame(documented, coded);
  });

  t.test(`the fields of "${heading}" fill it without gaps`, async (t) => {
    let end = 0;
    for (const [name, field] of Object.entries(structure.fields)) {
      t.equal(field.at, end, name);
      end += field.size;
    }
    t.equal(end, structure.size);
  });
}

t.test('kinds of records and of entries are those of the code', async (t) => {
  for (const [heading, kinds] of [
    ['7. Record header', format.recordKinds],
    ['13.1 Entry header', format.manifestKinds],
  ] as const) {
    const rows = rowsOf(heading).filter((cells) => cells.length === 3);
    t.strictSame(Object.fromEntries(rows.map(([code, name]) => [name?.replaceAll('`', ''), Number(code)])), kinds);
  }
});

t.test('limits are those of the code', async (t) => {
  const rows = rowsOf('15. Limits');
  t.ok(rows.length > 5);
  for (const [name = '', value = ''] of rows) {
    t.equal(Number(value.replaceAll(',', '')), (format as Readonly<Record<string, unknown>>)[name.replaceAll('`', '')], name);
  }
});

t.test('magic numbers are those of the code', async (t) => {
  for (const [heading, magic] of [
    ['7. Record header', format.RECORD_MAGIC],
    ['9. Footer', format.FOOTER_MAGIC],
    ['13. MANIFEST', format.MANIFEST_MAGIC],
  ] as const) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(magic);
    t.match(section(heading), `magic \`${bytes.toString('latin1')}\``);
  }
  t.match(section('6. Superblock'), `magic \`${format.SUPERBLOCK_MAGIC}\``);
  t.match(section('12. NODE'), `magic \`${format.NODE_MAGIC}\``);
});

t.test('paths of the directory are those of the code', async (t) => {
  const documented = [...section('4. Directory').matchAll(/^\| `([^`]+)` \|/gm)].map((row) => row[1]?.replace('/', ''));
  t.strictSame(documented.sort(), Object.values(format.nodePaths).sort());
  t.equal(format.segmentFileName(255), '00000000000000ff.seg');
  t.equal(format.parseSegmentFileName('00000000000000ff.seg'), 255);
  for (const name of ['0000000000000000.seg', 'ff.seg', '00000000000000FF.seg', 'ffffffffffffffff.seg', 'NODE']) {
    t.equal(format.parseSegmentFileName(name), undefined, name);
  }
});

t.test('the worked dump is the golden segment', async (t) => {
  const dumps = [...specification.matchAll(/```hexdump\n([\s\S]*?)```/g)].flatMap((block) =>
    (block[1] as string).trim().split('\n'),
  );
  t.ok(dumps.length > 10);
  for (const line of dumps) {
    const [offset = '', hex = ''] = line.split('  ');
    const at = Number.parseInt(offset, 16);
    t.equal(hex.replaceAll(' ', ''), golden.subarray(at, at + 16).toString('hex'), line);
  }
});

t.test('invariants are numbered without gaps, and the code names none that is not there', async (t) => {
  const numbers = [...section('10. Invariants').matchAll(/\*\*INV-(\d+) \((must|should)\)\*\*/g)].map((match) =>
    Number(match[1]),
  );
  t.strictSame(
    numbers,
    numbers.map((_, index) => index + 1),
  );
  const named = readSources('src/segment').flatMap(({ text }) =>
    Array.from(text.matchAll(/INV-(\d+)/g), (match) => Number(match[1])),
  );
  t.ok(named.length > 0);
  for (const number of named) t.ok(numbers.includes(number), `INV-${number}`);
});
