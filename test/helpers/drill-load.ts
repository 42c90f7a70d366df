import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './drill-dice.ts';
import { ask, askJson, type DrillAnswer, type DrillServer } from './drill-http.ts';
import { bytesOf, type KnownSession, makeContent, type Oracle } from './drill-oracle.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

/** Every answer a client may get while the database, and nothing else, is away. */
const PATIENCE = new Set(['database_unavailable', 'commit_unknown', 'timeout', 'audit_unavailable']);

/** Contents that went in under a key are told apart by their bytes: of empty ones, and those of a byte or two, there are many. */
const KEYED_SIZE_MIN = 16;

type Client = () => Promise<void>;

/**
 * Clients of every kind at once: small and multi-block one-shot uploads, some under idempotency keys, new versions,
 * sessions of several requests, range reads. They enter in the oracle what was acknowledged to them, and complain there
 * about answers that no fault explains.
 */
export class DrillLoad {
  readonly #server: DrillServer;
  readonly #dice: Dice;
  readonly #oracle: Oracle;
  readonly #running: Promise<unknown>;
  #ended = false;

  constructor(server: DrillServer, dice: Dice, oracle: Oracle) {
    this.#server = server;
    this.#dice = dice;
    this.#oracle = oracle;
    const clients: Client[] = [
      () => this.#oneShot(dice.int(0, 200 * KiB)),
      () => this.#oneShot(dice.int(0, 2 * KiB)),
      () => this.#oneShot(dice.int(MiB, 3 * MiB)),
      () => this.#newVersion(),
      () => this.#session(),
      () => this.#session(),
      () => this.#read(),
    ];
    this.#running = Promise.all(clients.map((client) => this.#repeat(client)));
  }

  /** Resolves when every client has had its last answer, or lost its connection. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  async #repeat(client: Client): Promise<void> {
    while (!this.#ended) {
      await client();
      await sleep(this.#dice.int(5, 40));
    }
  }

  async #oneShot(size: number): Promise<void> {
    const seed = this.#dice.int(1, 2 ** 30);
    const key = this.#dice.chance(0.5) ? randomUUID() : undefined;
    const content = makeContent(seed, key === undefined ? size : Math.max(size, KEYED_SIZE_MIN));
    if (key !== undefined) this.#oracle.keyed.add(content.sha256);
    const headers = { 'content-type': 'application/x-drill', ...(key === undefined ? {} : { 'idempotency-key': key }) };
    const answer = await ask(this.#server, { method: 'POST', path: '/v1/documents', headers, body: bytesOf(content) });
    if (this.#accepts(answer, 'one-shot', [201])) this.#acknowledge(answer, content);
    else if (key !== undefined) this.#oracle.lost.push({ key, content });
  }

  async #newVersion(): Promise<void> {
    const known = this.#knownVersion();
    if (known === undefined) return;
    const content = makeContent(this.#dice.int(1, 2 ** 30), this.#dice.int(1, 100 * KiB));
    const path = `/v1/documents/${known.documentId}/content`;
    const answer = await ask(this.#server, { method: 'PUT', path, body: bytesOf(content) });
    if (this.#accepts(answer, 'new version', [201])) this.#acknowledge(answer, content);
  }

  async #session(): Promise<void> {
    const content = makeContent(this.#dice.int(1, 2 ** 30), this.#dice.int(1, 5 * MiB));
    const documentId = randomUUID();
    const created = await askJson(this.#server, 'POST', '/v1/documents', { documentId, size: content.size });
    if (!this.#accepts(created, 'create session', [201])) return;
    const uploadId = created.json.uploadId as string;
    const session: KnownSession = { uploadId, documentId, content, promised: 0, sent: 0 };
    this.#oracle.sessions.set(uploadId, session);
    while (session.promised < content.size) {
      if (this.#ended || !(await this.#sendPart(session))) return;
      if (this.#dice.chance(0.3)) await this.#look(session);
    }
    const path = `/v1/uploads/${uploadId}/finalize`;
    const answer = await askJson(this.#server, 'POST', path, { digests: { sha256: content.sha256 } });
    if (!this.#accepts(answer, 'finalize', [201])) return;
    this.#acknowledge(answer, content);
    this.#oracle.sessions.delete(uploadId);
  }

  async #sendPart(session: KnownSession): Promise<boolean> {
    const { uploadId, content, promised } = session;
    const end = Math.min(content.size, promised + this.#dice.int(1, 2 * MiB));
    session.sent = Math.max(session.sent, end);
    const answer = await ask(this.#server, {
      method: 'PUT',
      path: `/v1/uploads/${uploadId}/bytes`,
      headers: { 'upload-offset': String(promised) },
      body: bytesOf(content).subarray(promised, end),
    });
    if (!this.#accepts(answer, 'append', [204])) return false;
    this.#oracle.promise(session, Number(answer.headers['upload-offset']), 'append');
    return true;
  }

  async #look(session: KnownSession): Promise<void> {
    const answer = await ask(this.#server, { method: 'HEAD', path: `/v1/uploads/${session.uploadId}` });
    if (answer?.status === 503) return;
    if (!this.#accepts(answer, 'look at a session', [200])) return;
    this.#oracle.promise(session, Number(answer.headers['upload-offset']), 'HEAD');
  }

  async #read(): Promise<void> {
    const known = this.#knownVersion();
    if (known === undefined || known.content.size === 0) return;
    const start = this.#dice.int(0, known.content.size - 1);
    const end = this.#dice.int(start, known.content.size - 1);
    const path = `/v1/documents/${known.documentId}/content?version=${known.versionId}`;
    const answer = await ask(this.#server, { path, headers: { range: `bytes=${start}-${end}` } });
    if (!this.#accepts(answer, 'range', [206])) return;
    if (answer.body.equals(bytesOf(known.content).subarray(start, end + 1))) return;
    this.#oracle.fault(`range ${start}-${end} of version ${known.versionId} holds other bytes than were stored`);
  }

  #knownVersion() {
    const known = [...this.#oracle.versions.values()];
    return known.length === 0 ? undefined : this.#dice.pick(known);
  }

  /** A lost connection and a database that is away are what drills are about; any other failure is none of them. */
  #accepts(answer: DrillAnswer | undefined, what: string, wanted: readonly number[]): answer is DrillAnswer {
    if (answer === undefined) return false;
    if (wanted.includes(answer.status)) return true;
    if (answer.status === 503 && PATIENCE.has(answer.code)) this.#oracle.unavailable += 1;
    else this.#oracle.fault(`${what} was answered ${answer.status} ${answer.code} ${String(answer.json.detail ?? '')}`);
    return false;
  }

  #acknowledge(answer: DrillAnswer, content: ReturnType<typeof makeContent>): void {
    const { documentId, versionId, digests } = answer.json as {
      documentId: string;
      versionId: string;
      digests: { sha256: string };
    };
    if (digests.sha256 !== content.sha256) this.#oracle.fault(`version ${versionId} was acknowledged with another SHA-256`);
    this.#oracle.acknowledge({ documentId, versionId, content });
  }
}
