import t from 'tap';
import type { Principal } from '../../../../src/access/principal-store.ts';
import type { StoredSchema } from '../../../../src/catalog/schema-store.ts';
import type { Actor } from '../../../../src/core/actor.ts';
import { allCapabilities } from '../../../../src/core/capability.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { QuasarError } from '../../../../src/core/errors.ts';
import { type FolderId, newId, type OrgId, type PrincipalId } from '../../../../src/core/ids.ts';
import type { Caller } from '../../../../src/http/caller.ts';
import { putFolder } from '../../../../src/http/handlers/folders.ts';
import { putPrincipal } from '../../../../src/http/handlers/principals.ts';
import type { Services } from '../../../../src/http/handlers/services.ts';
import type { Iri } from '../../../../src/metadata/iri.ts';
import { parseSchemaUrn } from '../../../../src/metadata/schema-urn.ts';
import type { RecordDeps } from '../../../../src/records/record-deps.ts';
import { changeSchemaState, registerSchema } from '../../../../src/records/register-schema.ts';
import { FakeExchange } from '../../../helpers/fake-exchange.ts';

/** A database that answers nothing more once something was changed: what took place is not told as what failed. */
class LostAfterChange {
  lost = false;

  readonly ask = async <T>(answer: T): Promise<T> => {
    if (this.lost) throw new QuasarError('database_unavailable', { op: 'test' });
    return answer;
  };

  readonly change = async <T>(answer: T): Promise<T> => {
    this.lost = true;
    return answer;
  };
}

const orgId = newId<OrgId>(systemClock);
const caller = {
  ...{ orgId, principalId: newId<PrincipalId>(systemClock) },
  session: { roles: ['admin'], requester: {} },
} as unknown as Caller;
const gate = {
  require: () => undefined,
  capabilitiesOf: () => allCapabilities,
  capabilitiesOn: async () => allCapabilities,
  changed: () => undefined,
};

function asking(method: string, body: unknown): FakeExchange {
  const bytes = Buffer.from(JSON.stringify(body));
  return new FakeExchange({ method, headers: { 'content-type': 'application/json' }, body: [bytes] });
}

t.test('a folder that was moved is answered without being read again', async (t) => {
  const { ask, change } = new LostAfterChange();
  const [folderId, parentId] = [newId<FolderId>(systemClock), newId<FolderId>(systemClock)];
  const folder = { folderId, name: 'moved', parentId: undefined, caseNumber: undefined, createdAtMs: 0 };
  const folders = { findFolder: () => ask(folder), moveFolder: () => change('moved') };
  const exchange = asking('PUT', { parentId });
  await putFolder.handler(exchange, { folderId }, { gate, access: { folders } } as unknown as Services, caller);
  t.equal(exchange.answer?.status, 200);
  t.match(JSON.parse(exchange.answer?.body as string), { folderId, parentId });
});

t.test('a principal that was changed is answered without being read again', async (t) => {
  const principalId = newId<PrincipalId>(systemClock);
  const since = 1000;
  for (const [suspendedAtMs, suspended, expected] of [
    [undefined, true, /^20/],
    [since, true, '1970-01-01T00:00:01.000Z'],
    [since, false, null],
    [since, undefined, '1970-01-01T00:00:01.000Z'],
  ] as const) {
    const { ask, change } = new LostAfterChange();
    const known: Principal = {
      ...{ principalId, kind: 'user', name: 'changed', subject: undefined, roles: ['clerk'], createdAtMs: 0, suspendedAtMs },
    };
    const access = {
      directory: { findPrincipal: () => ask(known) },
      principals: { changePrincipal: () => change('changed') },
      operatorOrgId: orgId,
    };
    const exchange = asking('PUT', { roles: ['reader'], ...(suspended === undefined ? {} : { suspended }) });
    const services = { gate, access, clock: systemClock } as unknown as Services;
    await putPrincipal.handler(exchange, { principalId }, services, caller);
    t.equal(exchange.answer?.status, 200);
    t.match(JSON.parse(exchange.answer?.body as string), { principalId, roles: ['reader'], suspendedAt: expected });
  }
});

t.test('a schema that was registered, or got another state, is answered without being read again', async (t) => {
  const urn = parseSchemaUrn('urn:quasar:schema:filing@1.0.0', 'urn');
  const by = caller as unknown as Actor;
  const stored = { urn: urn.urn, namespace: 'urn:n', state: 'draft', body: '{}', digest: '', createdAtMs: 0, changedAtMs: 0 };
  const depsOf = ({ ask, change }: LostAfterChange) => {
    const schemas = {
      addSchema: () => change('added'),
      changeState: () => change({ kind: 'changed' }),
      findSchema: () => ask(stored as StoredSchema),
    };
    return { schemas, validator: { compile: async () => undefined }, clock: systemClock } as unknown as RecordDeps;
  };
  const wish = { urn, namespace: 'urn:quasar:ns:core' as Iri, schema: { type: 'object' }, state: 'draft' } as const;
  const { schema, added } = await registerSchema(by, wish, depsOf(new LostAfterChange()));
  t.match({ schema, added }, { added: true, schema: { urn: urn.urn, state: 'draft', body: '{"type":"object"}' } });
  t.match(await changeSchemaState(by, { urn: urn.urn, to: 'active' }, depsOf(new LostAfterChange())), { state: 'active' });
});
