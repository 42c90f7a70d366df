import { patternBytes, sha256 } from './bytes.ts';

/** What a client sends; made again from its seed when it is needed. */
export interface Content {
  readonly seed: number;
  readonly size: number;
  readonly sha256: string;
}

export function makeContent(seed: number, size: number): Content {
  return { seed, size, sha256: sha256(patternBytes(size, seed)) };
}

export function bytesOf({ size, seed }: Content): Buffer {
  return patternBytes(size, seed);
}

export interface KnownVersion {
  readonly documentId: string;
  readonly versionId: string;
  readonly content: Content;
}

export interface KnownSession {
  readonly uploadId: string;
  readonly documentId: string;
  readonly content: Content;
  /** Bytes the server has promised to keep. */
  promised: number;
  /** Bytes that were ever on their way. */
  sent: number;
}

/** A one-shot upload under an idempotency key whose answer was lost: sent again, it must not make a second version. */
export interface LostRequest {
  readonly key: string;
  readonly content: Content;
}

/** What the server has acknowledged to the clients of a drill, and what they saw that must not be. */
export class Oracle {
  readonly versions = new Map<string, KnownVersion>();
  readonly sessions = new Map<string, KnownSession>();
  readonly lost: LostRequest[] = [];
  /** SHA-256 of contents that were sent under a key, so that at most one version may hold them. */
  readonly keyed = new Set<string>();
  readonly faults: string[] = [];
  /** Requests that were answered 503 because the database was away. */
  unavailable = 0;

  acknowledge(version: KnownVersion): void {
    this.versions.set(version.versionId, version);
  }

  /** An offset that was read or acknowledged binds the server from then on. */
  promise(session: KnownSession, offset: number, where: string): void {
    if (!Number.isSafeInteger(offset) || offset < session.promised || offset > session.sent) {
      const known = `promised ${session.promised}, sent ${session.sent}`;
      this.fault(`${where}: upload ${session.uploadId} stands at ${offset}, but ${known}`);
      return;
    }
    session.promised = offset;
  }

  fault(what: string): void {
    this.faults.push(what);
  }
}
