import t from 'tap';
import { compareSchemaUrns, parseSchemaUrn } from '../../../src/metadata/schema-urn.ts';
import { compareVersions, formatVersion, readVersion, type Version } from '../../../src/metadata/semantic-version.ts';
import { TextFault } from '../../../src/metadata/text-fault.ts';

t.test('a schema URN is a series and a version', async (t) => {
  t.match(parseSchemaUrn('URN:graviton:schema:court.case@1.20.3-draft.4', 'schemaUrn'), {
    urn: 'urn:quasar:schema:court.case@1.20.3-draft.4',
    series: 'urn:quasar:schema:court.case',
    version: { major: 1, minor: 20, patch: 3, preRelease: ['draft', 4] },
  });
  t.match(parseSchemaUrn('https://court.example/a@b/case@0.0.0', 'schemaUrn'), { series: 'https://court.example/a@b/case' });
});

t.test('what is no schema URN is refused by the name of its parameter', async (t) => {
  for (const text of [
    'urn:quasar:schema:case',
    'urn:quasar:schema:case@',
    'urn:quasar:schema:case@1',
    'urn:quasar:schema:case@1.2',
    'urn:quasar:schema:case@01.2.3',
    'urn:quasar:schema:case@1.2.3+build',
    'urn:quasar:schema:case@1.2.3-',
    'urn:quasar:schema:case@1.2.3-01',
    'urn:quasar:schema:case@1.2.3-a..b',
    'urn:quasar:schema:case@9007199254740993.0.0',
    'urn:quasar:schema:Case@1.0.0',
    'urn:quasar:schema:@1.0.0',
    'case@1.0.0',
  ]) {
    t.throws(() => parseSchemaUrn(text, 'schemaUrn'), { code: 'bad_parameter', details: { parameter: 'schemaUrn' } }, text);
  }
});

t.test('versions are ordered as Semantic Versioning orders them', async (t) => {
  const ordered = [
    '0.9.9',
    '1.0.0-1',
    '1.0.0-2',
    '1.0.0-10',
    '1.0.0-a',
    '1.0.0-a.1',
    '1.0.0-a.b',
    '1.0.0-b',
    '1.0.0',
    '1.0.10',
    '1.9.0',
    '1.10.0',
    '2.0.0-0',
    '2.0.0',
  ];
  const versions = ordered
    .map((text) => readVersion(text))
    .filter((version): version is Version => !(version instanceof TextFault));
  t.strictSame(versions.map(formatVersion), ordered);
  for (const [i, a] of versions.entries()) {
    for (const [j, b] of versions.entries())
      t.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${ordered[i]} and ${ordered[j]}`);
  }
});

t.test('schema URNs are ordered by series, then by version', async (t) => {
  const urns = ['urn:quasar:schema:b@1.0.0', 'urn:quasar:schema:a@10.0.0', 'urn:quasar:schema:a@9.0.0'].map((text) =>
    parseSchemaUrn(text, 'x'),
  );
  t.strictSame(
    urns.toSorted(compareSchemaUrns).map((one) => one.urn),
    ['urn:quasar:schema:a@9.0.0', 'urn:quasar:schema:a@10.0.0', 'urn:quasar:schema:b@1.0.0'],
  );
});
