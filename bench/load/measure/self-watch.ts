import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../../../src/core/clock.ts';

/** How hard a worker had to work itself. */
export interface OwnLoad {
  /** Of one core. */
  readonly cpuShare: number;
  /** By how much its timers were late, in milliseconds. */
  readonly lagP99Ms: number;
  readonly lagMaxMs: number;
}

/** How often the timer that is watched fires; its delay contains that once. */
const RESOLUTION_MS = 10;

/** Watches this process from its making to `end`. */
export class SelfWatch {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #cpu = process.cpuUsage();
  readonly #startedAt = systemClock.monotonic();

  constructor() {
    this.#delay.enable();
  }

  end(): OwnLoad {
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#delay.disable();
    const lag = (ns: number) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    return {
      cpuShare: (user + system) / 1000 / (systemClock.monotonic() - this.#startedAt),
      lagP99Ms: this.#delay.count === 0 ? 0 : lag(this.#delay.percentile(99)),
      lagMaxMs: this.#delay.count === 0 ? 0 : lag(this.#delay.max),
    };
  }
}
