import type { FileStore } from '../harness/file-store.ts';
import { headlineSettings, openPeers } from '../harness/peer-settings.ts';
import { QuasarStore } from '../harness/quasar-store.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import type { Scenario } from '../harness/stage.ts';
import { figureOf } from '../harness/verdicts.ts';

const FIRST = 'first start, empty folder';
const SECOND = 'second start';

export const start: Scenario = {
  name: 'start',
  title: 'From the command to the first answer that says it serves; of Quasar the first 200 of /v1/ready',
  async run(stage) {
    const quasar = await QuasarStore.open(stage);
    const peers = await openPeers(stage, headlineSettings(stage.peers), (setting) => setting.open(stage));
    const candidates = [starts('Quasar', quasar), ...peers.stores.map((store) => starts(store.name, store))].flat();
    const { rows, notes } = await measureInRounds(stage, candidates, { runs: stage.runs, smallerIsBetter: true });
    return [
      {
        title: 'seconds',
        unit: 's',
        rows,
        verdicts: [
          ...figureOf(rows, `Quasar, ${FIRST}`, { unit: 's', promise: { atMost: 5 } }),
          ...figureOf(rows, `Quasar, ${SECOND}`, { unit: 's', promise: { atMost: 2 } }),
        ],
        notes: [...peers.notes, ...notes, 'Quasar starts its PostgreSQL with it, and at the first start makes the database.'],
      },
    ];
  },
};

function starts(name: string, store: FileStore): Candidate[] {
  const taken = (how: () => Promise<void>) => async () => {
    await how();
    return { value: store.startMs / 1000 };
  };
  const { role } = store;
  return [
    { name: `${name}, ${FIRST}`, role, run: taken(() => store.renew()) },
    { name: `${name}, ${SECOND}`, role, run: taken(() => store.restart()) },
  ];
}
