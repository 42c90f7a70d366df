import { sha256 } from './bytes.ts';
import type { Dice } from './drill-dice.ts';
import { ask, askJson, type DrillServer } from './drill-http.ts';
import { bytesOf, type KnownSession, type Oracle } from './drill-oracle.ts';

interface ListedVersion {
  readonly versionId: string;
  readonly documentId: string;
  readonly parents: readonly string[];
  readonly size: number;
  readonly digests: { readonly sha256: string };
}

const DOWNLOADS_AT_ONCE = 6;

/** Sends again what was sent under a key and never answered: the first answer, or the first version, and no second one. */
export async function repeatLostRequests(server: DrillServer, oracle: Oracle): Promise<void> {
  for (const { key, content } of oracle.lost.splice(0)) {
    const answer = await ask(server, {
      method: 'POST',
      path: '/v1/documents',
      headers: { 'content-type': 'application/x-drill', 'idempotency-key': key },
      body: bytesOf(content),
    });
    if (answer?.status !== 200 && answer?.status !== 201) {
      oracle.fault(`a repeated one-shot was answered ${answer?.status} ${answer?.code}`);
      continue;
    }
    const { documentId, versionId } = answer.json as unknown as ListedVersion;
    oracle.acknowledge({ documentId, versionId, content });
  }
}

/** Looks at every open session, and carries some of them to their end; all with `keep` 0. */
export async function resumeSessions(server: DrillServer, oracle: Oracle, dice: Dice, keep: number): Promise<void> {
  for (const session of [...oracle.sessions.values()]) {
    const answer = await ask(server, { path: `/v1/uploads/${session.uploadId}` });
    if (answer?.status !== 200) {
      oracle.fault(`upload ${session.uploadId} was answered ${answer?.status} ${answer?.code}`);
      continue;
    }
    oracle.promise(session, Number(answer.json.offset), 'after the fault');
    if (answer.json.state !== 'committed' && dice.chance(keep)) continue;
    await completeSession(server, oracle, session);
  }
}

async function completeSession(server: DrillServer, oracle: Oracle, session: KnownSession): Promise<void> {
  const { uploadId, content, promised } = session;
  if (promised < content.size) {
    session.sent = content.size;
    const put = await ask(server, {
      method: 'PUT',
      path: `/v1/uploads/${uploadId}/bytes`,
      headers: { 'upload-offset': String(promised) },
      body: bytesOf(content).subarray(promised),
    });
    if (put?.status !== 204) {
      oracle.fault(`resuming upload ${uploadId} at ${promised} was answered ${put?.status} ${put?.code}`);
      return;
    }
  }
  const digests = { sha256: content.sha256 };
  const answer = await askJson(server, 'POST', `/v1/uploads/${uploadId}/finalize`, { digests });
  const version = answer?.json as unknown as ListedVersion;
  if ((answer?.status !== 200 && answer?.status !== 201) || version.digests.sha256 !== content.sha256) {
    oracle.fault(`finalizing the resumed upload ${uploadId} was answered ${answer?.status} ${answer?.code}`);
    return;
  }
  oracle.acknowledge({ documentId: version.documentId, versionId: version.versionId, content });
  oracle.sessions.delete(uploadId);
}

/**
 * Reads everything there is. Whatever is listed has the bytes its digest promises, half-done or not ours to expect; all
 * that was acknowledged is listed; no content that went in under a key is there twice. Returns how many versions it read.
 */
export async function readEverything(server: DrillServer, oracle: Oracle): Promise<number> {
  const listed = new Map<string, ListedVersion>();
  for (const version of await listVersions(server)) listed.set(version.versionId, version);

  for (const { versionId, content } of oracle.versions.values()) {
    const found = listed.get(versionId);
    if (found === undefined) oracle.fault(`the acknowledged version ${versionId} is gone`);
    else if (found.digests.sha256 !== content.sha256 || found.size !== content.size) {
      oracle.fault(`the acknowledged version ${versionId} is listed with another digest or size`);
    }
  }
  const once = new Set<string>();
  for (const { digests } of listed.values()) {
    if (once.has(digests.sha256) && oracle.keyed.has(digests.sha256)) oracle.fault('one idempotency key made two versions');
    once.add(digests.sha256);
  }
  const rest = [...listed.values()];
  const read = async () => {
    for (let version = rest.pop(); version !== undefined; version = rest.pop()) await readVersion(server, version, oracle);
  };
  await Promise.all(Array.from({ length: DOWNLOADS_AT_ONCE }, read));
  return listed.size;
}

async function readVersion(server: DrillServer, version: ListedVersion, oracle: Oracle): Promise<void> {
  const answer = await ask(server, { path: `/v1/documents/${version.documentId}/content?version=${version.versionId}` });
  if (answer?.status !== 200) {
    oracle.fault(`the listed version ${version.versionId} was answered ${answer?.status} ${answer?.code}`);
  } else if (answer.body.byteLength !== version.size || sha256(answer.body) !== version.digests.sha256) {
    oracle.fault(`the listed version ${version.versionId} came back with other bytes`);
  }
}

async function listVersions(server: DrillServer): Promise<ListedVersion[]> {
  const versions: ListedVersion[] = [];
  for await (const { documentId, current } of pages<{ documentId: string; current: ListedVersion }>(server, '/v1/documents')) {
    if (current.parents.length === 0) versions.push(current);
    else for await (const version of pages<ListedVersion>(server, `/v1/documents/${documentId}/versions`)) versions.push(version);
  }
  return versions;
}

async function* pages<T>(server: DrillServer, path: string): AsyncGenerator<T> {
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = cursor === '' ? '' : `&cursor=${cursor}`;
    const answer = await ask(server, { path: `${path}?limit=1000${query}` });
    if (answer?.status !== 200) throw new Error(`${path} was answered ${answer?.status} ${answer?.code}`);
    const page = answer.json as { items: T[]; nextCursor: string | null };
    yield* page.items;
    cursor = page.nextCursor;
  }
}
