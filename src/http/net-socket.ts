import { type OnReadOpts, Socket } from 'node:net';
import { limits } from '../core/limits.ts';

/** Where the bytes of a socket go. */
export interface SocketReader {
  /** Takes what was read; the bytes are borrowed until this returns. */
  take(bytes: Buffer): void;
  /** How much may be read next. */
  readonly readMax: number;
}

/**
 * Lets an accepted socket, paused until now, read into one buffer that all sockets share, since what was read is taken
 * before the next read: no buffer is made for each read, and a body comes in with a system call for each half megabyte
 * instead of eight. Node offers that for the sockets of clients (`onread`); those of a server get there by their handle,
 * whose name is not documented. Where it is not to be had the socket reads by events: as right, and slower with bodies.
 */
export function readInto(reader: SocketReader, accepted: Socket, allowed = true): Socket {
  const handle = allowed ? takeHandle(accepted) : undefined;
  if (handle === undefined) {
    accepted.on('data', (bytes: Buffer) => takeAll(reader, bytes));
    accepted.resume();
    return accepted;
  }
  const onread: OnReadOpts = {
    buffer: () => bufferOf(reader.readMax),
    callback: (size, bytes) => {
      reader.take(bytes.subarray(0, size) as Buffer);
      return true;
    },
  };
  return new Socket({ handle, allowHalfOpen: true, onread } as ConstructorParameters<typeof Socket>[0]);
}

/** What no documented type has. */
interface WithHandle {
  _handle?: { readonly useUserBuffer?: unknown } | null;
}

/** The accepted socket without its handle is an empty shell; destroying it tells its server so. */
function takeHandle(accepted: Socket): object | undefined {
  const shell = accepted as WithHandle & Socket;
  const handle = shell._handle;
  if (typeof handle?.useUserBuffer !== 'function') return undefined;
  shell._handle = null;
  shell.destroy();
  return handle;
}

function takeAll(reader: SocketReader, bytes: Buffer): void {
  for (let at = 0; at < bytes.byteLength; at += limits.httpChunkMax) reader.take(bytes.subarray(at, at + limits.httpChunkMax));
}

const shared = Buffer.alloc(limits.httpChunkMax);
const sharedAhead = shared.subarray(0, limits.httpReadAheadMax);

function bufferOf(size: number): Buffer {
  if (size <= limits.httpReadAheadMax) return sharedAhead;
  return size >= shared.byteLength ? shared : shared.subarray(0, size);
}
