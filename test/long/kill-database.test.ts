import t from 'tap';
import { enterDrill } from '../helpers/drill-journal.ts';
import { killDrill } from '../helpers/drill-kill.ts';

const ROUNDS = 50;

t.test(
  'a PostgreSQL killed fifty times under load comes back each time, and nothing acknowledged is lost or doubled',
  async (t) => {
    const { seed, rounds, versions, faults } = await killDrill(t, { victims: ['database'], goesOn: (round) => round <= ROUNDS });
    enterDrill({
      name: 'kill of PostgreSQL',
      seed,
      rounds: String(rounds),
      outcome: `${faults} faults, ${versions} versions read back`,
    });
  },
);
