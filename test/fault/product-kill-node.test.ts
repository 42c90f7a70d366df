import t from 'tap';
import { killDrill } from '../helpers/drill-kill.ts';

t.test('kill -9 at random moments under load loses nothing that was acknowledged', async (t) => {
  await killDrill(t, { victim: 'node', rounds: 10 });
});
