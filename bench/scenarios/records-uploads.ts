import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { checkStored, listDocuments } from '../harness/content.ts';
import { HttpAsker } from '../harness/http-asker.ts';
import { nullUpload } from '../harness/null-candidates.ts';
import { type QuasarOptions, QuasarServer } from '../harness/quasar-server.ts';
import { quasarDurability } from '../harness/quasar-store.ts';
import type { Role, Row, Sample, Table, Verdict } from '../harness/results.ts';
import { type Candidate, measureInRounds } from '../harness/rounds.ts';
import type { Stage } from '../harness/stage.ts';
import { send } from '../harness/upload-store.ts';
import { ratio } from '../harness/verdicts.ts';
import { metadataHeader, NAMESPACE, registerSchema } from './records-filing.ts';
import { uploadInThree } from './records-three-requests.ts';

const SIZE = 100 * 1024;
const CONNECTIONS = 16;
/** Requests on each connection: enough for a rate. */
const REPEAT = 250;
/** Four stores lie on the disk at a time. */
const STORE_SIZE_MAX = 2.4e9;
const AUDIT_WAIT_MS = 10_000;

const WITH = 'Quasar, one request, with metadata';
const WITHOUT = 'Quasar, one request, without';
const THREE = 'Quasar, three requests, with metadata';

interface Form {
  readonly name: string;
  readonly role: Role;
  readonly options: QuasarOptions;
  readonly metadata: boolean;
  readonly requests: 1 | 3;
}

/** How fast documents come in with all that belongs to a record. */
export async function measureUploads(stage: Stage): Promise<Table> {
  const { earlier } = stage;
  const options = { spareSegments: 0 } as const;
  const forms: Form[] = [
    { name: WITH, role: 'quasar', options, metadata: true, requests: 1 },
    { name: WITHOUT, role: 'quasar', options, metadata: false, requests: 1 },
    { name: THREE, role: 'quasar', options, metadata: true, requests: 3 },
  ];
  if (earlier !== undefined) {
    const { name, program } = earlier;
    forms.push({ name, role: 'peer', options: { ...options, program }, metadata: false, requests: 1 });
  }
  const uploads: RecordUploads[] = [];
  for (const form of forms) uploads.push(await RecordUploads.open(stage, form));
  const none = await nullUpload(stage, { size: SIZE, connections: CONNECTIONS, repeat: REPEAT }, toFiles);
  const candidates = [...uploads.map((each) => each.candidate()), none];
  const { rows, notes } = await measureInRounds(stage, candidates, { runs: stage.runs, warms: 'rounds' });
  for (const each of uploads) if (rows.some(({ candidate }) => candidate === each.name)) await each.check();
  return {
    title: `100 KiB in, ${CONNECTIONS} connections, fresh files`,
    unit: 'files/s',
    rows,
    verdicts: verdicts(rows, earlier?.name),
    notes: [
      ...notes,
      ...(earlier === undefined ? ['No earlier version was named (--spine DIR), so there is nothing to compare with.'] : []),
      'Three requests are sent by a client in JavaScript, which takes more of the two cores than the native one of the other rows.',
    ],
  };
}

function verdicts(rows: readonly Row[], earlier: string | undefined): Verdict[] {
  const others = earlier === undefined ? [] : [earlier];
  const pick = 'fastest';
  return [
    ...ratio(rows, { ours: WITH, others, pick, subject: 'of the version before', promise: { atLeast: 0.5 } }),
    ...ratio(rows, { ours: WITHOUT, others, pick, subject: 'without metadata, of the version before' }),
    ...ratio(rows, { ours: WITH, others: [WITHOUT], pick, subject: 'with metadata, of the same without' }),
    ...ratio(rows, { ours: THREE, others: [WITH], pick, subject: 'in three requests, of one' }),
  ];
}

/** A server and one form of uploads into it. It counts what was acknowledged, and the server must agree at the end. */
class RecordUploads {
  readonly #stage: Stage;
  readonly #form: Form;
  readonly #server: QuasarServer;
  #askers: readonly HttpAsker[] = [];
  #batch = 0;
  #count = 0;
  #unclear = 0;

  private constructor(stage: Stage, form: Form, server: QuasarServer) {
    this.#stage = stage;
    this.#form = form;
    this.#server = server;
  }

  static async open(stage: Stage, form: Form): Promise<RecordUploads> {
    stage.progress(`opening ${form.name}`);
    const uploads = new RecordUploads(stage, form, await QuasarServer.open(stage, form.options));
    await uploads.#begin();
    return uploads;
  }

  get name(): string {
    return this.#form.name;
  }

  candidate(): Candidate {
    const { name, role } = this.#form;
    return {
      ...{ name, role, durability: quasarDurability },
      pid: () => this.#server.pid,
      prepare: () => this.#makeRoom(),
      run: () => this.#upload(),
    };
  }

  /** Throws when the server lists other uploads than it acknowledged, or one has not all that belongs to it. */
  async check(): Promise<void> {
    await checkStored(this.#server, SIZE, { count: this.#count, unclear: this.#unclear });
    if (this.#form.metadata) await this.#checkRecord();
  }

  async #makeRoom(): Promise<void> {
    if (this.#server.storeSize() <= STORE_SIZE_MAX) return;
    await this.#server.renew();
    await this.#begin();
  }

  /** In an empty store. One round's worth is sent before anything is measured, so that its code is compiled. */
  async #begin(): Promise<void> {
    for (const asker of this.#askers) asker.close();
    this.#askers = HttpAsker.open(this.#server, CONNECTIONS, this.#stage.closer);
    this.#count = 0;
    this.#unclear = 0;
    const [first] = this.#askers;
    if (this.#form.metadata && first !== undefined) await registerSchema(first);
    await this.#upload();
  }

  async #upload(): Promise<Sample> {
    const sample = this.#form.requests === 3 ? await this.#uploadInThree() : await this.#uploadInOne();
    const { failures = 0 } = sample;
    this.#count += CONNECTIONS * REPEAT - failures;
    this.#unclear += failures;
    return sample;
  }

  #uploadInThree(): Promise<Sample> {
    return uploadInThree({ askers: this.#askers, count: CONNECTIONS * REPEAT, size: SIZE });
  }

  async #uploadInOne(): Promise<Sample> {
    this.#batch += 1;
    const headers = { ...this.#server.headers, ...(this.#form.metadata ? metadataHeader : {}) };
    const requests = { method: 'POST', paths: `/v1/documents?filename=bench-${this.#batch}-%d.bin`, headers } as const;
    const sample = await send(this.#server.port, { requests, size: SIZE, connections: CONNECTIONS, repeat: REPEAT });
    return { ...sample, value: toFiles(sample.value) };
  }

  /** The newest has its metadata, and the audit log knows who made it. */
  async #checkRecord(): Promise<void> {
    const [asker] = this.#askers;
    const { value: newest } = await listDocuments(this.#server).next();
    if (asker === undefined || newest === undefined) throw new Error('nothing was stored');
    const { documentId } = newest as { documentId: string };
    const { text } = await asker.expect(200, { method: 'GET', path: `/v1/documents/${documentId}/metadata` });
    if (!text.includes(NAMESPACE)) throw new Error('a measured upload has no metadata');
    const path = `/v1/audit/events?document=${documentId}&limit=10`;
    const began = systemClock.monotonic();
    while (!(await asker.expect(200, { method: 'GET', path })).text.includes('"document.create"')) {
      if (systemClock.monotonic() - began > AUDIT_WAIT_MS) throw new Error('a measured upload is not in the audit log');
      await sleep(100);
    }
  }
}

function toFiles(mbPerSecond: number): number {
  return (mbPerSecond * 1e6) / SIZE;
}
