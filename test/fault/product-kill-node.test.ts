import t from 'tap';
import { killDrill } from '../helpers/drill-kill.ts';

const ROUNDS = 10;

t.test('kill -9 at random moments under load loses nothing that was acknowledged', async (t) => {
  await killDrill(t, { victims: ['node'], goesOn: (round) => round <= ROUNDS });
});
