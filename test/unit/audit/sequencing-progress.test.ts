import fc from 'fast-check';
import t from 'tap';
import { progressAfter, type SequencingProgress } from '../../../src/audit/sequencing-progress.ts';

t.test('when all was taken, only what runs can still appear', (t) => {
  const after = progressAfter({ floor: 5n, open: [3n] }, { until: 20n, running: [3n, 12n] }, undefined);
  t.strictSame(after, { floor: 20n, open: [3n, 12n] });
  t.end();
});

t.test('after a full batch the next one begins at its last transaction', (t) => {
  const after = progressAfter({ floor: 5n, open: [3n] }, { until: 20n, running: [8n, 12n] }, 10n);
  t.strictSame(after, { floor: 10n, open: [8n] });
  t.end();
});

t.test('a full batch of late transactions leaves the floor', (t) => {
  const after = progressAfter({ floor: 9n, open: [2n, 3n, 4n, 6n] }, { until: 20n, running: [2n] }, 4n);
  t.strictSame(after, { floor: 9n, open: [2n, 4n, 6n] });
  t.end();
});

t.test('whatever order transactions end in and however small batches are, each event is taken once', (t) => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('begin' as const), events: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('end' as const), pick: fc.nat(), commits: fc.boolean() }),
      fc.record({
        kind: fc.constant('batch' as const),
        limit: fc.integer({ min: 1, max: 4 }),
        late: fc.boolean(),
        pick: fc.nat(),
      }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      const events = new Map<bigint, number>();
      let running: bigint[] = [];
      let until = 1n;
      const visible: { readonly transaction: bigint; taken: boolean }[] = [];
      let progress: SequencingProgress = { floor: 0n, open: [] };
      const end = (pick: number, commits: boolean) => {
        const transaction = running[pick % Math.max(1, running.length)];
        if (transaction === undefined) return;
        running = running.filter((number) => number !== transaction);
        for (let count = commits ? (events.get(transaction) ?? 0) : 0; count > 0; count--)
          visible.push({ transaction, taken: false });
      };
      const batch = (limit: number, meanwhile: () => void) => {
        const snapshot = { until, running };
        meanwhile();
        const taken = visible
          .filter(({ transaction, taken }) => !taken && transaction < snapshot.until)
          .filter(({ transaction }) => transaction >= progress.floor || progress.open.includes(transaction))
          .sort((left, right) => Number(left.transaction - right.transaction))
          .slice(0, limit);
        for (const event of taken) event.taken = true;
        progress = progressAfter(progress, snapshot, taken.length < limit ? undefined : taken.at(-1)?.transaction);
        return taken.length;
      };
      for (const step of list) {
        if (step.kind === 'begin') {
          events.set(until, step.events);
          running = [...running, until];
          until += 1n;
        } else if (step.kind === 'end') end(step.pick, step.commits);
        else batch(step.limit, () => step.late && end(step.pick, true));
      }
      while (running.length > 0) end(0, true);
      while (batch(2, () => undefined) > 0);
      return visible.every(({ taken }) => taken);
    }),
  );
  t.end();
});
