import { setTimeout as delay } from 'node:timers/promises';
import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { systemClock } from '../../../src/core/clock.ts';
import { ConnectionFault } from '../http/connection-fault.ts';
import type { HttpConnection } from '../http/http-connection.ts';
import { newHistogram, Recorder, type Times, toMicroseconds } from '../measure/recorder.ts';
import { SelfWatch } from '../measure/self-watch.ts';
import type { WorkerResult } from '../measure/worker-result.ts';
import { Arrivals } from '../requests/arrivals.ts';
import { ClosedLoop } from '../requests/closed-loop.ts';
import { Documents, type KnownDocument } from '../requests/documents.ts';
import { OpenLoop } from '../requests/open-loop.ts';
import type { Outcome } from '../requests/outcome.ts';
import { performRequest } from '../requests/perform-request.ts';
import { planRequest } from '../requests/planned-request.ts';
import { type DueRequest, isMeasured, RequestNumbers, type RequestSource } from '../requests/request-source.ts';
import { asideOf } from './prepare-documents.ts';
import { SilenceWatch } from './silence-watch.ts';
import type { Workplace } from './workplace.ts';

/** A connection that cannot be opened is tried again after so long. */
const RECONNECT_MS = 100;
const EXPLANATIONS_MAX = 3;

/**
 * One worker's part of a run: warm-up, measured time, and the time that what is under way then is given to end.
 * Bytes count when they move within the measured time, requests when they were due in it.
 */
export class WorkerRun {
  readonly #workplace: Workplace;
  readonly #documents: Documents;
  readonly #source: RequestSource;
  readonly #connections: readonly HttpConnection[];
  readonly #startedAt = systemClock.monotonic();
  readonly #recorder = new Recorder();
  readonly #wait = newHistogram();
  readonly #checks = new Set<Promise<void>>();
  readonly #explanations: string[] = [];
  readonly #counts = { due: 0, unfinished: 0, cut: 0, resumed: 0, verified: 0, sent: 0, received: 0 };
  readonly #over = new AbortController();
  #phase: 'warm-up' | 'measured' | 'over' = 'warm-up';
  #isInterrupted = false;
  #watch: SelfWatch | undefined;
  #windowMs = 0;

  constructor(workplace: Workplace, prepared: readonly KnownDocument[]) {
    this.#workplace = workplace;
    this.#documents = new Documents(workplace.plan, prepared, workplace.connections);
    this.#source = this.#openSource();
    this.#connections = workplace.openConnections((sent, received) => {
      if (this.#phase !== 'measured') return;
      this.#counts.sent += sent;
      this.#counts.received += received;
    });
  }

  async run(): Promise<WorkerResult> {
    const { warmUpMs, durationMs, timeoutMs } = this.#workplace.plan;
    const silence = new SilenceWatch(this.#connections, timeoutMs);
    const timers = [setTimeout(() => this.#beginWindow(), warmUpMs), setTimeout(() => this.#endWindow(), warmUpMs + durationMs)];
    this.#pump();
    const lines = Promise.all(this.#connections.map((connection) => this.#line(connection)));
    const cutOff = this.#cutOffAfterDrain();
    await lines;
    this.#endWindow();
    for (const timer of [...timers, await cutOff]) clearTimeout(timer);
    silence.end();
    this.#leaveWaiting();
    await Promise.all(this.#checks);
    for (const connection of this.#connections) connection.break(new ConnectionFault('stopped'));
    return this.#result();
  }

  /** Ends the run now; what is under way is broken off. */
  stop(): void {
    this.#isInterrupted = true;
    this.#endWindow();
    this.#breakAll();
  }

  get #now(): number {
    return systemClock.monotonic() - this.#startedAt;
  }

  #openSource(): RequestSource {
    const { plan, worker } = this.#workplace;
    const { loop, workers, warmUpMs, durationMs, seed } = plan;
    const numbers = new RequestNumbers({ worker, workers, limit: plan.requests });
    const now = () => this.#now;
    if (loop.kind === 'closed') return new ClosedLoop({ numbers, now, warmUpMs });
    const arrivals = new Arrivals(loop, { seed, worker, workers });
    return new OpenLoop({ numbers, arrivals, now, warmUpMs, endMs: warmUpMs + durationMs });
  }

  #pump(): void {
    if (!(this.#source instanceof OpenLoop)) return;
    this.#source.pump();
    const { nextAt } = this.#source;
    if (nextAt !== undefined) setTimeout(() => this.#pump(), Math.max(0, nextAt - this.#now));
  }

  #beginWindow(): void {
    if (this.#phase !== 'warm-up') return;
    this.#phase = 'measured';
    this.#watch = new SelfWatch();
  }

  #endWindow(): void {
    if (this.#phase === 'over') return;
    this.#beginWindow();
    this.#windowMs = Math.max(0, this.#now - this.#workplace.plan.warmUpMs);
    this.#phase = 'over';
    this.#source.end();
    this.#over.abort();
  }

  /** Resolves with the timer, once there is one to clear. */
  async #cutOffAfterDrain(): Promise<NodeJS.Timeout> {
    if (!this.#over.signal.aborted) await new Promise((resolve) => this.#over.signal.addEventListener('abort', resolve));
    return setTimeout(() => this.#breakAll(), this.#workplace.plan.timeoutMs);
  }

  #breakAll(): void {
    this.#leaveWaiting();
    for (const connection of this.#connections) connection.break(new ConnectionFault('stopped'));
  }

  async #line(connection: HttpConnection): Promise<void> {
    const { loop } = this.#workplace.plan;
    const pauseMs = loop.kind === 'closed' ? loop.thinkMs : 0;
    for (let due = await this.#source.take(); due !== undefined; due = await this.#source.take()) {
      const reached = await this.#one(due, connection);
      const waitMs = reached ? pauseMs : Math.max(pauseMs, RECONNECT_MS);
      if (waitMs > 0) await delay(waitMs, undefined, { signal: this.#over.signal }).catch(() => undefined);
    }
  }

  /** Returns false when there was no server to be reached. */
  async #one(due: DueRequest, connection: HttpConnection): Promise<boolean> {
    const sentAt = this.#now;
    const request = planRequest(this.#workplace.plan, due.index);
    const name = connection.isSlow ? `${request.kind}, slow` : request.kind;
    const times = (endedAt: number): Times => ({ plannedAt: due.plannedAt, sentAt, endedAt });
    if (isMeasured(due)) {
      this.#counts.due += 1;
      this.#wait.recordValue(toMicroseconds(sentAt - due.plannedAt));
    }
    try {
      const { outcome, bytes } = await performRequest(request, this.#workplace, this.#documents, connection);
      this.#count(outcome.wasResumed ? `${name}, resumed` : name, outcome, times(outcome.endedAt - this.#startedAt), {
        due,
        bytes,
      });
      return true;
    } catch (fault) {
      if (!(fault instanceof ConnectionFault)) throw fault;
      this.#countFault(name, fault, times(this.#now), due);
      return fault.kind !== 'refused' && fault.kind !== 'unreachable';
    }
  }

  #count(name: string, outcome: Outcome, times: Times, { due, bytes }: { due: DueRequest; bytes: number }): void {
    if (!isMeasured(due)) return;
    const { fault, wasCut, wasResumed, wasVerified, check, explanation } = outcome;
    if (wasCut) this.#counts.cut += 1;
    if (wasResumed) this.#counts.resumed += 1;
    if (wasVerified) this.#counts.verified += 1;
    if (fault === undefined) this.#recorder.answered(name, times, { bytes, isInTime: this.#phase === 'measured' });
    else this.#recorder.failed(name, times, fault);
    if (fault !== undefined) this.#explain(`${name}: ${fault}${asideOf(explanation ?? '')}`);
    if (check !== undefined) this.#checkLater(name, check);
  }

  #countFault(name: string, { kind, message }: ConnectionFault, times: Times, due: DueRequest): void {
    if (!isMeasured(due)) return;
    if (kind === 'cut') this.#counts.cut += 1;
    else if (kind === 'stopped') this.#leaveUnfinished(due, name, times.sentAt);
    else {
      this.#recorder.failed(name, times, kind);
      this.#explain(`${name}: ${kind}${asideOf(message)}`);
    }
  }

  #leaveWaiting(): void {
    for (const due of this.#source.rest()) {
      if (isMeasured(due)) this.#counts.due += 1;
      this.#leaveUnfinished(due, planRequest(this.#workplace.plan, due.index).kind, this.#now);
    }
  }

  /** Counts with the time it had taken, unless a person ended the run before it was time. */
  #leaveUnfinished(due: DueRequest, name: string, sentAt: number): void {
    if (!isMeasured(due)) return;
    this.#counts.unfinished += 1;
    if (!this.#isInterrupted) this.#recorder.unfinished(name, { plannedAt: due.plannedAt, sentAt, endedAt: this.#now });
  }

  #checkLater(name: string, check: NonNullable<Outcome['check']>): void {
    const checking = check().then((fault) => {
      this.#checks.delete(checking);
      if (fault === undefined) return;
      this.#recorder.foundLater(name, fault);
      this.#explain(`${name}: ${fault}`);
    });
    this.#checks.add(checking);
  }

  #explain(line: string): void {
    if (this.#explanations.length < EXPLANATIONS_MAX && !this.#explanations.includes(line)) this.#explanations.push(line);
  }

  #result(): WorkerResult {
    return {
      rows: this.#recorder.tally(),
      windowMs: this.#windowMs,
      wait: encodeIntoCompressedBase64(this.#wait),
      queueMax: this.#source.queueMax,
      lateCount: this.#source.lateCount,
      explanations: this.#explanations,
      own: (this.#watch ?? new SelfWatch()).end(),
      ...this.#counts,
    };
  }
}
