import t from 'tap';
import type { Deed } from '../../../../src/core/actor.ts';
import { limits } from '../../../../src/core/limits.ts';
import type { Caller } from '../../../../src/http/caller.ts';
import { exportAudit } from '../../../../src/http/handlers/export-audit.ts';
import type { Services } from '../../../../src/http/handlers/services.ts';
import { orgId } from '../../../helpers/audit-log-fixture.ts';
import { FakeExchange } from '../../../helpers/fake-exchange.ts';

/** Runs the handler over these lines; `steps` tells what happened in which order. */
async function run(exchange: FakeExchange, lines: () => Iterable<string>, append = async () => {}) {
  const steps: string[] = [];
  const audit = {
    append: async (_: Caller, { action, resource }: Deed) => {
      await append();
      steps.push(`${action} ${resource.kind} ${resource.id}, ${exchange.sent.status} so far`);
    },
    log: {
      exportLines: async function* () {
        steps.push('read');
        yield* lines();
      },
    },
  };
  const done = exportAudit.handler(exchange, {}, { audit } as unknown as Services, { orgId } as Caller);
  const error: unknown = await Promise.resolve(done).catch((cause: unknown) => cause);
  return { steps, error };
}

t.test('an export is noted before it is read, and ends when all lines are out', async (t) => {
  const exchange = new FakeExchange();
  const { steps, error } = await run(exchange, () => ['{"a":"é"}', '{}']);
  t.same(steps, [`log.export log quasar/${orgId}, 0 so far`, 'read']);
  t.equal(error, undefined);
  t.equal(exchange.answer?.status, 200);
  t.equal(exchange.answer?.body, '{"a":"é"}\n{}\n');
});

t.test('a long export leaves in pieces', async (t) => {
  const exchange = new FakeExchange();
  const sizes: number[] = [];
  const write = exchange.write.bind(exchange);
  exchange.write = (bytes) => {
    sizes.push(bytes.byteLength);
    return write(bytes);
  };
  const line = 'x'.repeat(limits.auditExportPieceSize / 4 - 1);
  await run(exchange, () => Array.from({ length: 10 }, () => line));
  t.same(sizes, [limits.auditExportPieceSize, limits.auditExportPieceSize, limits.auditExportPieceSize / 2]);
  t.equal(exchange.answer?.body, `${line}\n`.repeat(10));
});

t.test('an export that breaks in the middle does not end', async (t) => {
  const exchange = new FakeExchange();
  const { error } = await run(exchange, function* () {
    yield 'x'.repeat(limits.auditExportPieceSize);
    throw new Error('the database went');
  });
  t.match(error, { message: 'the database went' });
  t.equal(exchange.sent.status, 200, 'it had begun');
  t.equal(exchange.answer, undefined);
});

t.test('what fails before the first piece is no answer yet, and an export that cannot be noted is not read', async (t) => {
  const exchange = new FakeExchange();
  await run(exchange, function* () {
    yield 'one line';
    throw new Error('the database went');
  });
  t.equal(exchange.sent.status, 0);
  const { steps, error } = await run(
    new FakeExchange(),
    () => ['{}'],
    async () => {
      throw new Error('not stored');
    },
  );
  t.same(steps, []);
  t.match(error, { message: 'not stored' });
});

t.test('HEAD exports nothing and is not noted', async (t) => {
  const exchange = new FakeExchange({ method: 'HEAD' });
  const { steps } = await run(exchange, () => ['{}']);
  t.same(steps, []);
  t.equal(exchange.answer?.body, '');
});
