import type { FileServer } from './file-servers.ts';
import { openNullServer } from './null-server.ts';
import type { Candidate } from './rounds.ts';
import type { Stage } from './stage.ts';
import { send, type Upload } from './upload-store.ts';

/** The rows of the null server: how fast the client could be at all. */

const NAME = 'null server';

/** Swallows what is uploaded. The value is MB a second, or what `toValue` makes of that. */
export async function nullUpload(
  stage: Stage,
  { size, connections, repeat = 1 }: Upload,
  toValue = (mbPerSecond: number) => mbPerSecond,
): Promise<Candidate> {
  const { port, pid } = await openNullServer(stage, { size: 0 });
  return {
    name: NAME,
    role: 'null',
    pid: () => pid,
    async run() {
      const requests = { method: 'POST', paths: '/', headers: {} } as const;
      const sample = await send(port, { requests, size, connections, repeat });
      return { ...sample, value: toValue(sample.value) };
    },
  };
}

/** Sends files of this size. */
export async function nullFileServer(stage: Stage, size: number): Promise<FileServer> {
  const { port, pid } = await openNullServer(stage, { size });
  return { name: NAME, role: 'null', port, pid, requests: { method: 'GET', paths: ['/'], headers: {} } };
}
