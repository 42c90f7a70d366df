import type { Acceptance, Answer, Driver, UploadSessions } from './driver.ts';

const OCTETS = { 'content-type': 'application/octet-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** Quasar's HTTP API below this path (`''` as a rule). Documents are known by the path of their content. */
export function quasarDriver(base: string): Driver {
  return {
    kinds: ['upload', 'download', 'range', 'metadata', 'list'],
    upload: (name) => ({ method: 'POST', path: `${base}/v1/documents?filename=${name}`, headers: OCTETS }),
    accepted: (_, answer) => readVersion(base, answer),
    read: (path, range) => ({
      method: 'GET',
      path,
      ...(range === undefined ? {} : { headers: { range: `bytes=${range.start}-${range.end - 1}` } }),
    }),
    metadata: (path) => ({ method: 'GET', path: path.replace(/\/content$/, '') }),
    list: () => ({ method: 'GET', path: `${base}/v1/documents?limit=100` }),
    sessions: sessionsBelow(base),
  };
}

function sessionsBelow(base: string): UploadSessions {
  return {
    open: (name, size) => ({
      method: 'POST',
      path: `${base}/v1/documents`,
      headers: JSON_TYPE,
      text: JSON.stringify({ filename: name, contentType: 'application/octet-stream', size }),
    }),
    opened({ text }) {
      const { uploadId } = parse<{ uploadId?: unknown }>(text);
      return typeof uploadId === 'string' ? `${base}/v1/uploads/${uploadId}` : undefined;
    },
    append: (session, offset) => ({
      method: 'PUT',
      path: `${session}/bytes`,
      headers: { ...OCTETS, 'upload-offset': String(offset) },
    }),
    ask: (session) => ({ method: 'HEAD', path: session }),
    offset({ headers }) {
      const offset = headers.get('upload-offset');
      return offset === undefined || !/^\d{1,15}$/.test(offset) ? undefined : Number(offset);
    },
    finish: (session) => ({ method: 'POST', path: `${session}/finalize` }),
  };
}

function readVersion(base: string, { text }: Answer): Acceptance | undefined {
  const { documentId, digests } = parse<{ documentId?: unknown; digests?: { sha256?: unknown } }>(text);
  if (typeof documentId !== 'string' || typeof digests?.sha256 !== 'string') return undefined;
  return { path: `${base}/v1/documents/${documentId}/content`, sha256: digests.sha256 };
}

/** Empty when it is no JSON object. */
function parse<Fields extends object>(text: string): Partial<Fields> {
  try {
    return (JSON.parse(text) as Fields | null) ?? {};
  } catch {
    return {};
  }
}
