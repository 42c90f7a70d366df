import t from 'tap';
import { enterDrill } from '../helpers/drill-journal.ts';
import { killDrill } from '../helpers/drill-kill.ts';

const ROUNDS = 50;

t.test('kill -9 at fifty random moments under load loses nothing that was acknowledged', async (t) => {
  const { seed, rounds, versions, faults } = await killDrill(t, { victims: ['node'], goesOn: (round) => round <= ROUNDS });
  enterDrill({
    name: 'kill -9 of Quasar',
    seed,
    rounds: String(rounds),
    outcome: `${faults} faults, ${versions} versions read back`,
  });
});
