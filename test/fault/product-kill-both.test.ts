import t from 'tap';
import { killDrill } from '../helpers/drill-kill.ts';

t.test('kill -9 of Quasar and its PostgreSQL together loses nothing that was acknowledged', async (t) => {
  await killDrill(t, { victim: 'both', rounds: 10 });
});
