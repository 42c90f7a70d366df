/**
 * `data`: the body goes on from `from` to `to`, and the reading at `to`. `end`: the body is over, and the next request
 * begins at `to`. `more`: all bytes were read. `fault`: nothing that follows can be understood.
 */
export type FramingStep = 'data' | 'more' | 'end' | 'fault';

/** Where a body lies in what comes from the socket. Pure. */
export interface BodyFraming {
  readonly from: number;
  readonly to: number;
  /** Why, after `fault`. */
  readonly fault: string;
  /** Bytes of the body still to come; undefined when only its end will tell. */
  readonly remaining: number | undefined;
  /** Reads on at `at`. Called with nothing left too: a body of known size may be over. */
  step(bytes: Buffer, at: number): FramingStep;
}

/** A body with Content-Length. */
export class SizedBody implements BodyFraming {
  from = 0;
  to = 0;
  readonly fault = '';
  remaining: number;

  constructor(size: number) {
    this.remaining = size;
  }

  step(bytes: Buffer, at: number): FramingStep {
    this.from = at;
    this.to = Math.min(bytes.byteLength, at + this.remaining);
    if (this.remaining === 0) return 'end';
    if (this.to === at) return 'more';
    this.remaining -= this.to - at;
    return 'data';
  }
}
