import type { FileStore } from '../harness/file-store.ts';
import { runCrowd } from '../harness/native-programs.ts';
import { headlineSettings } from '../harness/peer-settings.ts';
import { type HeldMemory, watchMemory } from '../harness/process-tree.ts';
import { QuasarStore } from '../harness/quasar-store.ts';
import type { Row, Sample, Table } from '../harness/results.ts';
import { measureInRounds } from '../harness/rounds.ts';
import { toRow } from '../harness/rows.ts';
import type { Scenario, Stage } from '../harness/stage.ts';
import { figureOf } from '../harness/verdicts.ts';

const CLIENTS = 100;
const FAST = { size: 100_000_000, rate: 0 };
/** A fifth of the file, so that a run takes ten seconds: what is held at once does not depend on how long it takes. */
const SLOW = { size: 20_000_000, rate: 2_000_000 };

/** The downloads read what the fast uploads stored. */
const loads = [
  { title: 'uploads, slow clients', stores: true, ...SLOW },
  { title: 'uploads, fast clients', stores: true, ...FAST },
  { title: 'downloads, slow clients', stores: false, ...SLOW },
  { title: 'downloads, fast clients', stores: false, ...FAST },
] as const;
type Load = (typeof loads)[number];

const ALONE = 'Quasar, its process alone';

const general = [
  'One run. Fast: 100 different files of 100 MB each. Slow: 20 MB of a file for each client, at 2 MB/s with small socket buffers.',
  'Each row starts with a new process. Mapped files, as Quasar has one for its index, are not counted; pages that several processes hold are counted once.',
];

interface Findings {
  readonly rows: Row[];
  readonly notes: string[];
}

export const memory: Scenario = {
  name: 'memory',
  title: `Memory of the server and its children at ${CLIENTS} concurrent transfers: peak of anonymous and shared pages, sampled every 100 ms`,
  async run(stage) {
    const findings = new Map(loads.map((load): [Load, Findings] => [load, { rows: [], notes: [] }]));
    const open = [
      { name: 'Quasar', open: () => QuasarStore.open(stage) },
      ...headlineSettings(stage.peers).map((setting) => ({ name: setting.name, open: () => setting.open(stage) })),
    ];
    // One store after the other: each fills most of what the benches may take of the disk.
    for (const each of open) {
      try {
        await measureStore(stage, await each.open(), findings);
      } catch (cause) {
        findings.get(loads[0])?.notes.push(stage.lost(each.name, cause));
      }
      await stage.closeAll();
    }
    return [...findings].map(([load, found]) => toTable(load, found));
  },
};

async function measureStore(stage: Stage, store: FileStore, findings: ReadonlyMap<Load, Findings>): Promise<void> {
  for (const [load, { rows, notes }] of findings) {
    stage.progress(load.title);
    let held: HeldMemory | undefined;
    const candidate = {
      name: store.name,
      role: store.role,
      pid: () => store.pid,
      prepare: () => (load.stores ? store.renew() : store.restart()),
      async run() {
        const { sample, peak } = await transfer(store, load);
        held = peak;
        return sample;
      },
      ...(load.stores ? { durability: store.durability } : {}),
    };
    // A peak, not a rate: once says it.
    const measured = await measureInRounds(stage, [candidate], { runs: 1, smallerIsBetter: true });
    rows.push(...measured.rows);
    notes.push(...measured.notes);
    if (store.role === 'quasar' && held !== undefined)
      rows.push(toRow({ name: ALONE, role: 'quasar' }, [{ value: held.own / 1e6, cpuSeconds: undefined }]));
  }
}

async function transfer(store: FileStore, load: Load): Promise<{ readonly sample: Sample; readonly peak: HeldMemory }> {
  const requests = load.stores ? await store.writes(CLIENTS, load.size) : await store.reads();
  const watch = watchMemory(store.pid);
  const { size, rate } = load;
  const { bytes, failures } = await runCrowd({ port: store.port, requests, clients: CLIENTS, size, rate });
  const peak = watch.end();
  if (bytes === 0) throw new Error('no transfer succeeded');
  return { sample: { value: peak.tree / 1e6, bytes, failures }, peak };
}

function toTable({ title }: Load, { rows, notes }: Findings): Table {
  const goal = { unit: 'MB', promise: { atMost: 300 }, aim: { atMost: 200 } } as const;
  return { title, unit: 'MB', rows, verdicts: figureOf(rows, ALONE, goal), notes: [...notes, ...general] };
}
