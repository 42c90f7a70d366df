import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresPool } from '../../src/database/postgres-pool.ts';
import type { Product } from './product.ts';

/** The database of a running product as its owner, whom nothing is forbidden. The caller closes it, before the product. */
export async function openProductDatabase({ data }: Product): Promise<PostgresPool> {
  const state = await readFile(join(data, 'postgres', 'cluster', 'postmaster.pid'), 'utf8');
  // Lines of the file, by PostgreSQL's manual: pid, data directory, start time, port, socket directory.
  const [, , , port, host = ''] = state.split('\n');
  const password = (await readFile(join(data, 'secrets', 'postgres-password'), 'utf8')).trimEnd();
  return new PostgresPool({ host, port: Number(port), user: 'postgres', password, database: 'quasar', size: 1 });
}
