import t from 'tap';
import { killDrill } from '../helpers/drill-kill.ts';

t.test('a PostgreSQL killed under load comes back by itself, and nothing acknowledged is lost or doubled', async (t) => {
  await killDrill(t, { victim: 'database', rounds: 10 });
});
