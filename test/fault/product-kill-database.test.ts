import t from 'tap';
import { killDrill } from '../helpers/drill-kill.ts';

const ROUNDS = 10;

t.test('a PostgreSQL killed under load comes back by itself, and nothing acknowledged is lost or doubled', async (t) => {
  await killDrill(t, { victims: ['database'], goesOn: (round) => round <= ROUNDS });
});
