import { join } from 'node:path';
import { open } from 'lmdb';

/** Changes entries of the index as a disk or a stray write would. */
export async function changeIndex(
  directory: string,
  change: (entry: Buffer, index: number) => Buffer | undefined,
): Promise<void> {
  const root = open<Buffer, Buffer>({ path: join(directory, 'idx'), maxDbs: 4, keyEncoding: 'binary', encoding: 'binary' });
  const entries = root.openDB<Buffer, Buffer>({ name: 'blocks', keyEncoding: 'binary', encoding: 'binary' });
  let index = 0;
  for (const { key, value } of [...entries.getRange({})].map((item) => ({ key: item.key, value: Buffer.from(item.value) }))) {
    const changed = change(value, index++);
    if (changed === undefined) entries.removeSync(key);
    else entries.putSync(key, changed);
  }
  await root.close();
}
