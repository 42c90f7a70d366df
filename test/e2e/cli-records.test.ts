import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { ask, type Json } from '../helpers/ask.ts';
import { Product } from '../helpers/product.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { type Ran, runCommand } from '../unit/cli/run-command.ts';

const CASE = 'urn:quasar:ns:case';
const SCHEMA = 'urn:quasar:schema:case@1.0.0';
const NOBODY = '00000000-0000-7000-8000-000000000000';

const folder = temporaryFolder(t);
const product = await Product.start();
t.teardown(() => product.destroy());

/** Runs a command against the server; `input` is its standard input. */
function quasar(line: readonly string[], input?: string): Promise<Ran> {
  const { url, keyFile } = product;
  return runCommand(line, { url, keyFile, ...(input === undefined ? {} : { stdin: Readable.from([Buffer.from(input)]) }) });
}

/** As `quasar`, for a command that must succeed: its one line of JSON. */
async function done(line: readonly string[], input?: string): Promise<Json> {
  const { code, json, stderr } = await quasar([...line, '--json'], input);
  if (code !== 0) throw new Error(`${line.join(' ')}: ${stderr}`);
  return json[0] as Json;
}

function file(name: string, value: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

/** A document whose versions hold `texts`, oldest first. */
async function storeDocument(...texts: readonly string[]) {
  const [first = '', ...others] = texts;
  const made = (await ask(product, 'POST', '/v1/documents', { body: first })).json();
  const document = made.documentId as string;
  const versions = [made.versionId as string];
  for (const body of others) {
    const { versionId } = (await ask(product, 'PUT', `/v1/documents/${document}/content`, { body })).json();
    versions.push(versionId as string);
  }
  return { document, versions: versions as [string, string] };
}

const caseSchema = {
  type: 'object',
  properties: { number: { type: 'string' }, parties: { type: 'array', items: { type: 'string' } } },
  required: ['number'],
  additionalProperties: false,
};
await done(['schema', 'add', SCHEMA, CASE, file('case.schema.json', caseSchema)]);

/** A document with the case number given, and the entry that has it. */
async function fileCase(number = '4 K 12/26') {
  const { document, versions } = await storeDocument('some bytes');
  await done(['meta', 'put', document, `${CASE}=${file('case.json', { number })}`]);
  const { entry } = (await done(['meta', 'get', document, CASE])) as { entry: { metadataId: string } };
  const data = async () => ((await done(['meta', 'get', document, CASE])).entry as Json).data;
  return { document, first: versions[0], base: entry.metadataId, data };
}

t.test('versions are listed newest first, with labels and reason', async (t) => {
  const { document, versions } = await storeDocument('one', 'three');
  const listed = await quasar(['versions', document]);
  t.equal(listed.code, 0, listed.stderr);
  const [newest, oldest] = listed.stdout.toString().split('\n') as [string, string];
  t.match(newest, new RegExp(`^${versions[1]}  \\S+Z  +5 B  CURRENT$`));
  t.match(oldest, new RegExp(`^${versions[0]}  \\S+Z  +3 B  -$`));
  const { json } = await quasar(['versions', document, '--json']);
  t.match(json, [{ versionId: versions[1], size: 5 }, { versionId: versions[0] }]);
  t.match((await quasar(['versions', document, '--limit', '1'])).stderr, /There are more; --all lists them\./);
  t.equal((await quasar(['versions', NOBODY])).code, 3);
});

t.test('a label moves from where it stands, says where that was, and its moves are listed', async (t) => {
  const { document, versions } = await storeDocument('one', 'two');
  const [one, two] = versions;
  const set = await quasar(['label', document, 'sealed', one, '--reason', 'Order of the court']);
  t.equal(set.code, 0, set.stderr);
  t.equal(set.stderr, 'sealed stands at no version.\n');
  t.equal(set.stdout.toString(), `sealed stands at ${one}.\n`);
  const moved = await quasar(['label', document, 'sealed', two]);
  t.equal(moved.stderr, `sealed stands at ${one}.\n`);
  t.match(await done(['label', document, 'sealed', two]), { label: 'sealed', versionId: two, expected: two, moved: false });
  const moves = (await quasar(['label', document, 'sealed', '--moves'])).stdout.toString().split('\n') as [string, string];
  t.match(moves[0], `${one} -> ${two}`);
  t.match(moves[1], new RegExp(`none -> ${one}  by \\S+  Order of the court$`));
  t.match((await quasar(['label', document, 'sealed', '--moves', '--json'])).json, [{ versionId: two }, { versionId: one }]);
});

t.test('a label that stands elsewhere than expected does not move, and where it stands is told', async (t) => {
  const { document, versions } = await storeDocument('one', 'two');
  const [one, two] = versions;
  t.match(await done(['label', document, 'sealed', one, '--expect', 'none']), { expected: null, moved: true });
  for (const expect of ['none', two]) {
    const late = await quasar(['label', document, 'sealed', two, '--expect', expect]);
    t.equal(late.code, 4);
    t.equal(
      late.stderr.replace(/ \(request .*/s, ''),
      `quasar: sealed stands at ${one}, not at ${expect}; nothing moved. Look at it, then say --expect ${one}.`,
    );
  }
  const late = await quasar(['label', document, 'sealed', two, '--expect', 'none', '--json']);
  t.match(JSON.parse(late.stderr), { error: { code: 'label_conflict', details: { versionId: one } } });
  t.equal((await quasar(['label', document, 'sealed', two, '--expect', one])).code, 0);
  const unknown = await quasar(['label', document, 'sealed', NOBODY]);
  t.equal(unknown.code, 3);
  t.match(unknown.stderr, `"quasar versions ${document}" lists what it has.`);
  t.equal((await quasar(['label', NOBODY, 'sealed', one])).code, 3);
});

t.test('get and stat take a version by id, by label and by time', async (t) => {
  const { document, versions } = await storeDocument('one', 'two');
  const [one, two] = versions;
  await done(['label', document, 'draft', one]);
  const content = async (...flags: string[]) => (await quasar(['get', document, ...flags])).stdout.toString();
  t.equal(await content('--label', 'draft'), 'one');
  t.equal(await content('--version', one), 'one');
  t.equal(await content('--as-of', '2999-01-01T00:00:00Z'), 'two');
  t.match(await done(['stat', document, '--label', 'draft']), { kind: 'version', versionId: one, labels: ['draft'] });
  t.match(await done(['stat', document, '--as-of', '2999-01-01T00:00:00+01:00']), { versionId: two });
  t.equal((await quasar(['stat', document, '--label', 'never'])).code, 3);
  t.equal((await quasar(['get', document, '--as-of', '2001-01-01T00:00:00Z'])).code, 3);
  const vague = await quasar(['get', document, '--as-of', 'yesterday']);
  t.equal(vague.code, 2);
  t.match(vague.stderr, /must be an RFC 3339 time/);
});

t.test('metadata is put by namespace, shown for people and programs, and not for the versions before', async (t) => {
  const { document, first } = await fileCase();
  const shown = await quasar(['meta', 'get', document]);
  t.equal(shown.code, 0, shown.stderr);
  t.match(shown.stdout.toString(), `canonical ${CASE}:\n`);
  t.match(shown.stdout.toString(), `  schema: ${SCHEMA}\n`);
  t.match(shown.stdout.toString(), '"number": "4 K 12/26"');
  t.match(await done(['meta', 'get', document]), { canonical: { [CASE]: { data: { number: '4 K 12/26' } } }, derived: {} });
  t.strictSame((await done(['meta', 'get', document, '--version', first])).canonical, {});
  t.notOk('canonical' in (await done(['meta', 'get', document, '--derived'])));
  for (const verb of ['get', 'patch']) {
    const missing = await quasar(['meta', verb, document, 'urn:quasar:ns:none', ...(verb === 'patch' ? ['-'] : [])], '[]');
    t.equal(missing.code, 3);
    t.match(
      missing.stderr,
      `There is no such metadata of urn:quasar:ns:none; "quasar meta get ${document}" shows what there is.`,
    );
  }
  t.equal((await quasar(['meta', 'get', document, CASE, '--derived'])).code, 3);
});

t.test('a bundle is put from a file or standard input, with a reason, over an expected version only', async (t) => {
  const { document, first } = await fileCase();
  const bundle = JSON.stringify({ mode: 'canonical', bundle: { [CASE]: { data: { number: '5 K 12/26' } } } });
  const late = await quasar(['meta', 'put', document, '-', '--expect', first], bundle);
  t.equal(late.code, 4, late.stderr);
  const current = (await done(['stat', document])).currentVersionId as string;
  t.match(late.stderr, `nothing was stored. Look at it, then say --expect ${current}.`);
  const path = file('bundle.json', bundle);
  const stored = await quasar(['meta', 'put', document, path, '--expect', current, '--reason', 'Joined']);
  t.equal(stored.code, 0, stored.stderr);
  t.match(stored.stdout.toString(), new RegExp(`^version: \\S+\n${CASE}  \\S+  valid\n$`));
  t.match(await done(['stat', document, '--label', 'CURRENT']), { reason: 'Joined' });
  const twice = await quasar(['meta', 'put', document, '-', '--reason', 'a'], bundle.replace('{', '{"reason":"b",'));
  t.equal(twice.code, 2, 'a reason in both');
  const pair = `${CASE}=${file('twice.json', '{"number":"1","number":"2"}')}`;
  t.equal((await quasar(['meta', 'put', document, pair])).code, 2, 'a name that is there twice');
});

t.test('derived metadata that does not fit is kept, and the command says where to look', async (t) => {
  const ns = 'urn:quasar:ns:ocr';
  await done(
    ['schema', 'add', 'urn:quasar:schema:ocr@1.0.0', ns, '-'],
    '{"type":"object","properties":{"pages":{"type":"integer"}}}',
  );
  const { document } = await storeDocument('some bytes');
  const bundle = {
    mode: 'derived',
    bundle: { [ns]: { data: { pages: 'three' } } },
    provenance: {
      producer: { name: 'ocr', version: '5.3.0' },
      producedAt: '2026-11-21T09:00:00Z',
      input: { kind: 'blob', key: `b3:${'0'.repeat(64)}` },
      confidence: 0.9,
    },
  };
  const stored = await quasar(['meta', 'put', document, file('ocr.json', bundle)]);
  t.equal(stored.code, 0, stored.stderr);
  t.match(stored.stderr, `"quasar meta get ${document} --quarantined" says why`);
  t.equal((await quasar(['meta', 'get', document, ns, '--derived'])).code, 3);
  const shown = (await quasar(['meta', 'get', document, ns, '--derived', '--quarantined'])).stdout.toString();
  t.match(shown, '  status: quarantined\n');
  t.match(shown, /\n {4}\/pages: .* \(type\)\n/);
  t.match(shown, '"confidence": 0.9');
});

t.test('a patch is written against the entry that is there, and says which', async (t) => {
  const { document, base, data } = await fileCase();
  const patch = JSON.stringify([{ op: 'add', path: '/parties', value: ['Müller'] }]);
  const patched = await quasar(['meta', 'patch', document, CASE, '-', '--reason', 'Joined'], patch);
  t.equal(patched.code, 0, patched.stderr);
  t.equal(patched.stderr, `Patching ${base}.\n`);
  t.strictSame(await data(), { number: '4 K 12/26', parties: ['Müller'] });
  t.match(await done(['stat', document, '--label', 'CURRENT']), { reason: 'Joined' });
  const late = await quasar(['meta', 'patch', document, CASE, '-', '--base', base], patch);
  t.equal(late.code, 4);
  const { entry } = (await done(['meta', 'get', document, CASE])) as { entry: { metadataId: string } };
  t.match(late.stderr, `${CASE} is at ${entry.metadataId}, not at ${base}; nothing changed.`);
  t.match(late.stderr, `then say --base ${entry.metadataId}.`);
  t.equal(late.stderr.trimEnd().split('\n').length, 1);
});

t.test('what does not fit its schema is told one fault a line, with its pointer', async (t) => {
  const { document, data } = await fileCase();
  const patch = JSON.stringify([
    { op: 'replace', path: '/number', value: 7 },
    { op: 'add', path: '/parties', value: [1] },
  ]);
  const refused = await quasar(['meta', 'patch', document, CASE, '-'], patch);
  t.equal(refused.code, 2);
  const [, ...lines] = refused.stderr.trimEnd().split('\n');
  const last = lines.pop() as string;
  t.match(last, /^quasar: The metadata does not fit its schema/);
  t.equal(lines.length, 2, refused.stderr);
  t.ok(
    lines.some((line) => /^ {2}\S*\/number: .* \(type\)$/.test(line)),
    refused.stderr,
  );
  t.ok(
    lines.some((line) => /^ {2}\S*\/parties\/0: .* \(type\)$/.test(line)),
    refused.stderr,
  );
  const asJson = await quasar(['meta', 'patch', document, CASE, '-', '--json'], patch);
  t.match(JSON.parse(asJson.stderr), { error: { code: 'metadata_invalid', details: { errors: [{}, {}] } } });
  t.equal((await quasar(['meta', 'patch', document, CASE, '-'], '[{"op":"remove","path":"/none"}]')).code, 2);
  t.strictSame(await data(), { number: '4 K 12/26' });
});

t.test('a schema is added, listed, shown, and goes its way from draft to revoked', async (t) => {
  const urn = 'urn:quasar:schema:hearing@1.0.0';
  const ns = 'urn:quasar:ns:hearing';
  const schema = { type: 'object', properties: { room: { type: 'string' } } };
  const path = file('hearing.schema.json', schema);
  const says = async (...line: string[]) => (await quasar(['schema', ...line])).stdout.toString();
  t.equal(await says('add', urn, ns, path, '--draft'), `${urn} is draft.\n`);
  t.equal(await says('add', urn, ns, path), `${urn} is draft, registered before.\n`);
  t.equal((await quasar(['schema', 'add', urn, ns, '-'], '{"type":"object"}')).code, 4, 'the URN means something else');
  t.match(await says('ls', ns), new RegExp(`^${urn}  draft +${ns}  \\S+Z\n$`));
  t.match((await quasar(['schema', 'ls', '--json'])).json, [{ schemaUrn: SCHEMA }]);
  t.equal(await says('activate', urn), `${urn} is active.\n`);
  t.equal(await says('deprecate', urn), `${urn} is deprecated.\n`);
  const back = await quasar(['schema', 'activate', urn]);
  t.equal(back.code, 4);
  t.match(back.stderr, /deprecated cannot become active/);
  t.match(await done(['schema', 'revoke', urn]), { schemaUrn: urn, lifecycle: 'revoked' });
  t.match(await done(['schema', 'show', urn]), { lifecycle: 'revoked', schema });
  t.match(await says('show', urn), '\nschema:\n  {\n    "properties": {\n');
  t.equal((await quasar(['schema', 'show', 'urn:quasar:schema:none@1.0.0'])).code, 3);
});

t.test('a schema that cannot be taken is refused with the place of its fault', async (t) => {
  const schema = { type: 'object', properties: { a: { type: 'string', pattern: '(' } } };
  const path = file('bad.schema.json', schema);
  const refused = await quasar(['schema', 'add', 'urn:quasar:schema:bad@1.0.0', CASE, path]);
  t.equal(refused.code, 2);
  t.match(refused.stderr, `quasar: ${path} at /properties/a/pattern: `);
  t.equal(refused.stderr.trimEnd().split('\n').length, 1);
});
