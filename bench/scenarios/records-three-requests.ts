import { systemClock } from '../../src/core/clock.ts';
import { type HttpAsker, inTurns } from '../harness/http-asker.ts';
import type { Sample } from '../harness/results.ts';
import { percentile } from '../harness/statistics.ts';
import type { WireBody } from '../load/http/http-connection.ts';
import { bundle } from './records-filing.ts';

const OCTETS = { 'content-type': 'application/octet-stream' };

export interface ThreeRequests {
  readonly askers: readonly HttpAsker[];
  readonly count: number;
  readonly size: number;
}

/**
 * Uploads with metadata in three requests each: a session is made, takes the bytes, and becomes a version. The value is
 * files a second, and latencies are those of all three together.
 */
export async function uploadInThree({ askers, count, size }: ThreeRequests): Promise<Sample> {
  const content = Buffer.from(systemClock.random(size));
  const latencies: number[] = [];
  let failures = 0;
  const began = systemClock.monotonic();
  await inTurns(askers, count, async (asker, index) => {
    const startedAt = systemClock.monotonic();
    if (await uploadOne(asker, { filename: `three-${index}.bin`, body: numbered(content, index) })) {
      latencies.push(systemClock.monotonic() - startedAt);
    } else failures += 1;
  });
  const seconds = (systemClock.monotonic() - began) / 1000;
  if (latencies.length === 0) throw new Error('no upload in three requests succeeded');
  latencies.sort((left, right) => left - right);
  return {
    value: latencies.length / seconds,
    bytes: latencies.length * size,
    failures,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}

async function uploadOne(
  asker: HttpAsker,
  { filename, body }: { readonly filename: string; readonly body: WireBody },
): Promise<boolean> {
  const json = { filename, contentType: OCTETS['content-type'], size: body.size, initialMetadata: bundle };
  const made = await asker.ask({ method: 'POST', path: '/v1/documents', json });
  if (made.status !== 201) return false;
  const path = `/v1/uploads/${(JSON.parse(made.text) as { uploadId: string }).uploadId}`;
  const headers = { ...OCTETS, 'upload-offset': '0' };
  const taken = await asker.ask({ method: 'PUT', path: `${path}/bytes`, headers, body });
  if (taken.status !== 204) return false;
  return (await asker.ask({ method: 'POST', path: `${path}/finalize` })).status === 201;
}

/** The same bytes with another number in each 64 KiB, so that no two bodies have a block in common. */
function numbered(content: Buffer, index: number): WireBody {
  return {
    size: content.length,
    fill(target, offset, size) {
      content.copy(target, 0, offset, offset + size);
      for (let at = 0; at < size; at += NUMBERED_EACH) target.writeUInt32LE(index, Math.min(at, size - 4));
    },
  };
}

const NUMBERED_EACH = 64 * 1024;
