import t from 'tap';
import { killDrill } from '../helpers/drill-kill.ts';

const ROUNDS = 10;

t.test('kill -9 of Quasar and its PostgreSQL together loses nothing that was acknowledged, whatever the chunker', async (t) => {
  await killDrill(t, { victims: ['both'], goesOn: (round) => round <= ROUNDS, storage: ['chunker = fastcdc-v1'] });
});
