import t from 'tap';
import { enterDrill } from '../helpers/drill-journal.ts';
import { killDrill } from '../helpers/drill-kill.ts';

const ROUNDS = 50;

t.test('kill -9 of Quasar and its PostgreSQL fifty times loses nothing that was acknowledged', async (t) => {
  const { seed, rounds, versions, faults } = await killDrill(t, {
    victims: ['both'],
    goesOn: (round) => round <= ROUNDS,
    storage: ['chunker = fastcdc-v1'],
  });
  enterDrill({
    name: 'kill -9 of both',
    seed,
    rounds: String(rounds),
    outcome: `${faults} faults, ${versions} versions read back`,
  });
});
