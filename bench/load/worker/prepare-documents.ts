import { ConnectionFault } from '../http/connection-fault.ts';
import type { HttpConnection } from '../http/http-connection.ts';
import type { KnownDocument } from '../requests/documents.ts';
import { isSuccess } from '../requests/outcome.ts';
import { ask, performUpload } from '../requests/perform-upload.ts';
import { planDocument } from '../requests/planned-request.ts';
import type { PreparedDocument } from './messages.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { Workplace } from './workplace.ts';

/** Enough to keep a disk busy, and few enough for any server. */
const CONNECTIONS_MAX = 2;

/**
 * Uploads this worker's part of the documents that are read in the run, or asks how long those are that were named.
 * @throws Error with one line for the person at the terminal.
 */
export async function prepareDocuments(workplace: Workplace, onPrepared: () => void): Promise<PreparedDocument[]> {
  const { plan, worker } = workplace;
  const count = plan.paths.length === 0 ? plan.documents : plan.paths.length;
  const prepared: PreparedDocument[] = [];
  let next = worker;
  const line = async (connection: HttpConnection) => {
    for (let index = next; index < count; index = next) {
      next += plan.workers;
      prepared.push({ index, document: await prepareOne(workplace, index, connection) });
      onPrepared();
    }
  };
  const connections = Array.from({ length: Math.min(CONNECTIONS_MAX, workplace.connections) }, () =>
    workplace.openConnection(() => undefined),
  );
  const watch = new SilenceWatch(connections, plan.timeoutMs);
  try {
    await Promise.all(connections.map(line));
  } finally {
    watch.end();
    for (const connection of connections) connection.break(new ConnectionFault('stopped'));
  }
  return prepared;
}

async function prepareOne(workplace: Workplace, index: number, connection: HttpConnection): Promise<KnownDocument> {
  const path = workplace.plan.paths[index];
  try {
    return path === undefined ? await upload(workplace, index, connection) : await measure(workplace, path, connection);
  } catch (fault) {
    if (!(fault instanceof ConnectionFault)) throw fault;
    throw new Error(`the connection broke while documents were prepared: ${fault.message}`);
  }
}

async function upload(workplace: Workplace, index: number, connection: HttpConnection): Promise<KnownDocument> {
  const { number, size } = planDocument(workplace.plan, index);
  const wish = { name: workplace.nameOf(number), number: workplace.bodyNumber(number), size, cutAt: undefined };
  const { fault, stored, check, explanation = '' } = await performUpload(wish, workplace.toolsFor(connection));
  const found = fault ?? (await check?.());
  if (found === undefined && stored !== undefined) return stored;
  throw new Error(`a document to be read could not be uploaded: ${found}${asideOf(explanation)}`);
}

async function measure(workplace: Workplace, path: string, connection: HttpConnection): Promise<KnownDocument> {
  const answer = await ask({ ...workplace.driver.read(path), method: 'HEAD' }, workplace.toolsFor(connection));
  const length = answer.headers.get('content-length');
  if (!isSuccess(answer)) throw new Error(`HEAD of ${path} was answered ${answer.status}; --paths takes what can be read`);
  if (length === undefined) throw new Error(`the server does not tell how long ${path} is`);
  return { path, size: Number(length), number: undefined };
}

/** What a server said, on one line and short. */
export function asideOf(explanation: string): string {
  const line = explanation.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return line === '' ? '' : ` (${line.length > 200 ? `${line.slice(0, 200)}…` : line})`;
}
