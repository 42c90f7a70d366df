import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';
import type { Fault } from '../requests/outcome.ts';

/** Numbers are counted up to three digits, from 1 µs to as long as it takes. */
export function newHistogram(): Histogram {
  return build({
    bitBucketSize: 64,
    autoResize: true,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });
}

/** One request, in milliseconds on one clock. */
export interface Times {
  /** When it was due; when it was sent, in the closed loop. */
  readonly plannedAt: number;
  readonly sentAt: number;
  readonly endedAt: number;
}

/** What one worker counted of one row of the table; histograms are compressed base64, of microseconds. */
export interface RowTally {
  /** Answered well. */
  readonly requests: number;
  /** Those of them that were answered within the measured time, not after it. */
  readonly inTime: number;
  /** Of documents, sent or read. */
  readonly bytes: number;
  /** From when it was due. */
  readonly latency: string;
  /** From when it was sent. */
  readonly service: string;
  readonly faults: Readonly<Partial<Record<Fault, number>>>;
}

interface Row {
  requests: number;
  inTime: number;
  bytes: number;
  readonly latency: Histogram;
  readonly service: Histogram;
  readonly faults: Map<Fault, number>;
}

/**
 * Counts the requests of the measured time, by row: `upload`, `range, slow`. A request that failed has no latency, but
 * for one that timed out or was not answered by the end of the run: leaving those out would hide the worst, so they
 * count with the time they had waited.
 */
export class Recorder {
  readonly #rows = new Map<string, Row>();

  answered(name: string, times: Times, { bytes, isInTime }: { readonly bytes: number; readonly isInTime: boolean }): void {
    const row = this.#row(name);
    row.requests += 1;
    if (isInTime) row.inTime += 1;
    row.bytes += bytes;
    this.#time(row, times);
  }

  failed(name: string, times: Times, fault: Fault): void {
    const row = this.#row(name);
    row.faults.set(fault, (row.faults.get(fault) ?? 0) + 1);
    if (fault === 'timeout') this.#time(row, times);
  }

  /** It was under way, or waiting, when the run ended. */
  unfinished(name: string, times: Times): void {
    this.#time(this.#row(name), times);
  }

  /** A check that took longer found this in a request that counts as answered. */
  foundLater(name: string, fault: Fault): void {
    const { faults } = this.#row(name);
    faults.set(fault, (faults.get(fault) ?? 0) + 1);
  }

  tally(): Record<string, RowTally> {
    return Object.fromEntries(
      [...this.#rows].map(([name, { requests, inTime, bytes, latency, service, faults }]) => [
        name,
        {
          requests,
          inTime,
          bytes,
          latency: encodeIntoCompressedBase64(latency),
          service: encodeIntoCompressedBase64(service),
          faults: Object.fromEntries(faults),
        },
      ]),
    );
  }

  #time({ latency, service }: Row, { plannedAt, sentAt, endedAt }: Times): void {
    latency.recordValue(toMicroseconds(endedAt - plannedAt));
    service.recordValue(toMicroseconds(endedAt - sentAt));
  }

  #row(name: string): Row {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { requests: 0, inTime: 0, bytes: 0, latency: newHistogram(), service: newHistogram(), faults: new Map() };
      this.#rows.set(name, row);
    }
    return row;
  }
}

export function toMicroseconds(ms: number): number {
  return Math.max(1, Math.round(ms * 1000));
}
