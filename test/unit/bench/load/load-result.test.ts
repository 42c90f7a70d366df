import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import t from 'tap';
import { mergeResults } from '../../../../bench/load/measure/load-result.ts';
import { newHistogram, Recorder } from '../../../../bench/load/measure/recorder.ts';
import type { WorkerResult } from '../../../../bench/load/measure/worker-result.ts';
import { parseCommandLine, planLoad } from '../../../../bench/load/plan/parse-command-line.ts';
import { resultText } from '../../../../bench/load/report-text.ts';

const argv = ['--url', 'http://127.0.0.1:1', '--profile', 'range', '--rate', '100'];
const plan = planLoad(parseCommandLine(argv), { paths: [], newSeed: 5 });
const about = { startedAt: '2026-01-01T00:00:00.000Z', wasInterrupted: false };

function worker(recorder: Recorder, given: Partial<WorkerResult> = {}): WorkerResult {
  return {
    rows: recorder.tally(),
    windowMs: 2000,
    sent: 10,
    received: 20,
    wait: encodeIntoCompressedBase64(newHistogram()),
    queueMax: 1,
    lateCount: 0,
    due: 100,
    unfinished: 0,
    cut: 0,
    resumed: 0,
    verified: 0,
    explanations: [],
    own: { cpuShare: 0.5, lagP99Ms: 1, lagMaxMs: 2 },
    ...given,
  };
}

/** A request that was due at 0, sent after `waited` and answered after `took` milliseconds. */
const times = (took: number, waited = 0) => ({ plannedAt: 0, sentAt: waited, endedAt: took });
const inTime = { bytes: 100, isInTime: true };

t.test('what workers measured is added up, percentiles from all values', async (t) => {
  const [left, right] = [new Recorder(), new Recorder()];
  for (let index = 1; index <= 99; index += 1) left.answered('range', times(index), inTime);
  right.answered('range', times(1000, 900), { ...inTime, isInTime: false });
  right.failed('range', times(5), 'status 503');
  right.failed('upload', times(5), 'reset');
  const result = mergeResults(plan, [worker(left), worker(right)], about);
  const [range, upload] = result.rows;
  t.equal(range?.requests, 100);
  t.equal(range?.requestsPerSecond, 49.5, 'the one that was answered after the measured time is no part of its rate');
  t.equal(range?.bytes, 10_000);
  t.ok(Math.abs((range?.latencyMs?.p50 ?? 0) - 50) < 0.1);
  t.ok(Math.abs((range?.latencyMs?.max ?? 0) - 1000) < 1);
  t.ok(Math.abs((range?.serviceMs?.max ?? 0) - 100) < 0.2, 'from when it was sent');
  t.strictSame(range?.faults, { 'status 503': 1 });
  t.strictSame(upload?.faults, { reset: 1 });
  t.equal(upload?.latencyMs, undefined);
  t.equal(result.failures, 2);
  t.equal(result.receivedBytesPerSecond, 20);
  t.strictSame(result.generator.bottlenecks, []);
});

t.test('what was not answered counts with the time it waited', async (t) => {
  const recorder = new Recorder();
  recorder.answered('range', times(1), inTime);
  recorder.failed('range', times(30_000), 'timeout');
  recorder.unfinished('range', times(20_000));
  const [row] = mergeResults(plan, [worker(recorder)], about).rows;
  t.equal(row?.requests, 1);
  t.ok((row?.latencyMs?.p50 ?? 0) > 19_000);
  t.ok((row?.latencyMs?.max ?? 0) > 29_000);
});

t.test('the load generator says when it was the bottleneck', async (t) => {
  const lines = (given: Partial<WorkerResult>) =>
    mergeResults(plan, [worker(new Recorder(), given)], about).generator.bottlenecks;
  t.strictSame(lines({ own: { cpuShare: 0.79, lagP99Ms: 10, lagMaxMs: 90 } }), []);
  t.match(lines({ own: { cpuShare: 0.81, lagP99Ms: 10, lagMaxMs: 90 } }), [/81 % of a core/]);
  t.match(lines({ own: { cpuShare: 0.2, lagP99Ms: 70, lagMaxMs: 90 } }), [/70 ms late/]);
  t.strictSame(lines({ lateCount: 1 }), []);
  t.match(lines({ lateCount: 2 }), [/2 of 100 requests/]);
});

t.test('the table shows all of it', async (t) => {
  const recorder = new Recorder();
  recorder.answered('range, slow', times(12), inTime);
  recorder.failed('range, slow', times(1), 'wrong bytes');
  const given = { cut: 3, resumed: 2, verified: 1, unfinished: 4, explanations: ['range, slow: wrong bytes'], lateCount: 50 };
  const result = mergeResults(plan, [worker(recorder, given)], { ...about, wasInterrupted: true });
  const text = resultText(result).join('\n');
  for (const wanted of [/p99\.9/, /range, slow +1 /, /1 failures: range, slow: 1 × wrong bytes/, /3 cut as planned, 2 of these/])
    t.match(text, wanted);
  for (const wanted of [
    /1 bodies and digests/,
    /4 not answered/,
    /THE LOAD GENERATOR WAS THE BOTTLENECK: 50 of 100/,
    /interrupted/,
  ])
    t.match(text, wanted);
});
