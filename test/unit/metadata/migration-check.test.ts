import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { parseIri } from '../../../src/metadata/iri.ts';
import { differencesOf } from '../../../src/metadata/json-difference.ts';
import type { JsonObject, JsonValue } from '../../../src/metadata/json-value.ts';
import { checkMigration, type Migration } from '../../../src/metadata/migration-check.ts';
import { parsePatch } from '../../../src/metadata/patch-operation.ts';
import { type CheckedSchema, checkSchema } from '../../../src/metadata/schema-check.ts';
import { openValidator } from '../../helpers/open-validator.ts';

const older = schemaOf('urn:quasar:schema:case@1.0.0', { judge: { type: 'string' }, pages: { type: 'integer' } });
const newer = schemaOf('urn:quasar:schema:case@2.0.0', {
  court: { type: 'object', required: ['judge'], properties: { judge: { type: 'string' }, room: { type: 'string' } } },
  pages: { type: 'integer' },
});
const forward: JsonValue = [
  { op: 'add', path: '/court', value: {} },
  { op: 'move', from: '/judge', path: '/court/judge' },
];
const inverse: JsonValue = [
  { op: 'move', from: '/court/judge', path: '/judge' },
  { op: 'remove', path: '/court' },
];
const samples = [{ judge: 'A' }, { judge: 'B', pages: 3 }];

t.test('a migration that carries every sample there and back is taken', async (t) => {
  const validator = await openValidator(t, { threads: 1, timeMs: 60_000 });
  await t.resolves(checkMigration(migration(forward, inverse), samples, validator));
});

t.test('a migration whose inverse loses data is refused with the sample and what it loses', async (t) => {
  const validator = await openValidator(t, { threads: 1, timeMs: 60_000 });
  const losing: JsonValue = [...(forward as JsonValue[]), { op: 'add', path: '/pages', value: 0 }];
  await t.rejects(
    checkMigration(migration(losing, [...(inverse as JsonValue[]), { op: 'remove', path: '/pages' }]), samples, validator),
    {
      code: 'migration_lossy',
      details: { sample: 1, step: 'inverse', errors: [{ path: '/pages', code: 'lost' }] },
    },
  );
  await t.rejects(checkMigration(migration(losing, inverse), samples, validator), {
    code: 'migration_lossy',
    details: { sample: 0, step: 'inverse', errors: [{ path: '/pages', code: 'added' }] },
  });
});

t.test('what comes out must fit the schema it goes to, and a sample the one it comes from', async (t) => {
  const validator = await openValidator(t, { threads: 1, timeMs: 60_000 });
  await t.rejects(checkMigration(migration([], []), samples, validator), {
    code: 'migration_lossy',
    details: { sample: 0, step: 'to', errors: [{ path: '/judge', code: 'additionalProperties' }] },
  });
  await t.rejects(checkMigration(migration(forward, inverse), [{ judge: 7 }], validator), {
    code: 'migration_lossy',
    details: { sample: 0, step: 'from', errors: [{ path: '/judge', code: 'type' }] },
  });
});

t.test('a transform that cannot be applied to a sample is refused with the pointer', async (t) => {
  const validator = await openValidator(t, { threads: 1, timeMs: 60_000 });
  await t.rejects(checkMigration(migration(forward, inverse), [{ judge: 'A' }, { pages: 1 }], validator), {
    code: 'migration_lossy',
    details: { sample: 1, step: 'forward', errors: [{ path: '/judge', code: 'patch_failed' }] },
  });
  await t.rejects(checkMigration(migration(forward, [{ op: 'test', path: '/x', value: 1 }]), samples, validator), {
    code: 'migration_lossy',
    details: { sample: 0, step: 'inverse', errors: [{ path: '/x', code: 'patch_failed' }] },
  });
  await t.rejects(checkMigration(migration([{ op: 'replace', path: '', value: [] }], []), samples, validator), {
    code: 'migration_lossy',
    details: { sample: 0, step: 'forward', errors: [{ path: '', code: 'type' }] },
  });
});

t.test('a migration without samples shows nothing and is refused', async (t) => {
  const validator = await openValidator(t, { threads: 1, timeMs: 60_000 });
  await t.rejects(checkMigration(migration(forward, inverse), [], validator), { code: 'bad_body' });
  const many = Array(limits.migrationSamplesMax + 1).fill({ judge: 'A' });
  await t.rejects(checkMigration(migration(forward, inverse), many, validator), { code: 'bad_body' });
});

t.test('differences are told by place, as many as are wanted', async (t) => {
  const wanted = { a: 1, b: [1, 2, { c: null }], d: { e: 'x' } };
  const actual = { b: [1, 3, {}, 4], d: ['x'], 'f/g': 1 };
  t.strictSame(
    differencesOf(wanted, actual, 100).map(({ path, code }) => `${path} ${code}`),
    ['/a lost', '/b/1 changed', '/b/2/c lost', '/b/3 added', '/d changed', '/f~1g added'],
  );
  t.equal(differencesOf(wanted, actual, 2).length, 2);
  t.strictSame(differencesOf(wanted, structuredClone(wanted), 100), []);
});

function migration(there: JsonValue, back: JsonValue): Migration {
  return { from: older, to: newer, forward: parsePatch(there), inverse: parsePatch(back) };
}

function schemaOf(urn: string, properties: JsonObject): CheckedSchema {
  return checkSchema({ type: 'object', properties, additionalProperties: false }, parseIri(urn, 'schemaUrn'));
}
