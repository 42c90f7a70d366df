/** Why no whole answer came. */
export type FaultKind =
  | 'refused'
  | 'unreachable'
  | 'reset'
  | 'timeout'
  /** The connection ended within an answer. */
  | 'short body'
  /** The bytes that came are no HTTP/1.1. */
  | 'not HTTP'
  /** We cut it ourselves, as planned. */
  | 'cut'
  /** We cut it, because the run is over. */
  | 'stopped';

export class ConnectionFault extends Error {
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string = kind) {
    super(message);
    this.kind = kind;
  }
}

/** What a socket's error means to its user. */
export function toConnectionFault(error: unknown): ConnectionFault {
  if (error instanceof ConnectionFault) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return new ConnectionFault('refused', message);
  if (code === 'ECONNRESET' || code === 'EPIPE') return new ConnectionFault('reset', message);
  if (code === 'ETIMEDOUT') return new ConnectionFault('timeout', message);
  return new ConnectionFault('unreachable', message);
}
