import t from 'tap';
import { enterDrill } from '../helpers/drill-journal.ts';
import { killDrill } from '../helpers/drill-kill.ts';

const MINUTES = 10;
/** Reading everything takes longer with every round; this keeps most of the time for faults. */
const READ_EVERY = 20;

t.test('ten minutes of load, kills and orderly stops in any order lose nothing that was acknowledged', async (t) => {
  const end = performance.now() + MINUTES * 60_000;
  const { seed, rounds, versions, faults } = await killDrill(t, {
    victims: ['node', 'database', 'both', 'nobody'],
    goesOn: () => performance.now() < end,
    readEvery: READ_EVERY,
  });
  const outcome = `${faults} faults, ${versions} versions read back`;
  enterDrill({ name: 'ten mixed minutes', seed, rounds: String(rounds), outcome });
});
