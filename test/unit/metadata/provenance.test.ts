import t from 'tap';
import type { JsonObject, JsonValue } from '../../../src/metadata/json-value.ts';
import { parseProvenance } from '../../../src/metadata/provenance.ts';

const good: JsonObject = {
  producer: { name: 'ocr', version: '5.3.0' },
  producedAt: '2026-05-04T03:02:01Z',
  input: { kind: 'blob', key: `b3:${'0'.repeat(64)}` },
  confidence: 0.875,
};

t.test('a complete provenance is taken, its time in UTC', async (t) => {
  t.strictSame(parseProvenance(good), { ...good, producedAt: '2026-05-04T03:02:01.000Z' });
  for (const [text, time] of [
    ['2026-05-04T03:02:01.5+02:00', '2026-05-04T01:02:01.500Z'],
    ['2024-02-29t00:00:00z', '2024-02-29T00:00:00.000Z'],
  ] as const) {
    t.equal(parseProvenance({ ...good, producedAt: text }).producedAt, time);
  }
  for (const confidence of [0, 1]) t.equal(parseProvenance({ ...good, confidence }).confidence, confidence);
});

t.test('a provenance that lacks a part, has another or leaves its range is refused with the place', async (t) => {
  const without = (name: string) => Object.fromEntries(Object.entries(good).filter(([other]) => other !== name));
  const cases: readonly [JsonValue | undefined, string, string][] = [
    [undefined, '/provenance', 'required'],
    [null, '/provenance', 'type'],
    [[], '/provenance', 'type'],
    [{ ...good, note: 1 }, '/provenance/note', 'additionalProperties'],
    [without('producer'), '/provenance/producer', 'required'],
    [without('producedAt'), '/provenance/producedAt', 'required'],
    [without('input'), '/provenance/input', 'required'],
    [without('confidence'), '/provenance/confidence', 'required'],
    [{ ...good, confidence: 1.0001 }, '/provenance/confidence', 'range'],
    [{ ...good, confidence: -0.0001 }, '/provenance/confidence', 'range'],
    [{ ...good, confidence: Number.NaN }, '/provenance/confidence', 'range'],
    [{ ...good, confidence: '1' }, '/provenance/confidence', 'range'],
    [{ ...good, confidence: null }, '/provenance/confidence', 'range'],
    [{ ...good, producer: { name: 'ocr' } }, '/provenance/producer/version', 'required'],
    [{ ...good, producer: { name: ' ', version: '1' } }, '/provenance/producer/name', 'maxLength'],
    [{ ...good, producer: { name: 'x'.repeat(256), version: '1' } }, '/provenance/producer/name', 'maxLength'],
    [{ ...good, producer: { name: 'ocr', version: 5 } }, '/provenance/producer/version', 'type'],
    [{ ...good, input: { kind: 'file', key: 'x' } }, '/provenance/input/kind', 'enum'],
    [{ ...good, input: { kind: 'blob', key: 'x', size: 1 } }, '/provenance/input/size', 'additionalProperties'],
    ...[
      '2026-05-04',
      '2026-05-04T03:02:01',
      '2026-13-04T03:02:01Z',
      '2026-02-30T03:02:01Z',
      '2026-05-04T25:02:01Z',
      'yesterday',
    ].map((producedAt): [JsonValue, string, string] => [{ ...good, producedAt }, '/provenance/producedAt', 'format']),
  ];
  for (const [value, path, code] of cases) {
    t.throws(
      () => parseProvenance(value),
      { code: 'metadata_invalid', details: { errors: [{ path, code }] } },
      `${path} ${JSON.stringify(value)}`,
    );
  }
});
