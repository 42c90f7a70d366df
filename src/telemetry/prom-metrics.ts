import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { assert } from '../core/assert.ts';
import type { CounterCell, MetricOptions, Metrics } from '../core/metrics.ts';

export interface PromMetrics extends Metrics {
  /** The page a Prometheus server reads. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** Its own registry: two of them in one process (tests) do not meet. Process, heap and event-loop figures come with it. */
export function createPromMetrics(): PromMetrics {
  const registry = new Registry();
  // The library wakes the event loop that often to see how late it is; its default of 10 ms never lets an idle server sleep.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  const shared = (options: MetricOptions<string>) => ({
    name: options.name,
    help: options.help,
    labelNames: [...(options.labels ?? [])],
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    counter(options) {
      const cells = new Map<string, CountingCell>();
      new Counter({
        ...shared(options),
        collect() {
          for (const cell of cells.values()) this.inc(cell.labels, cell.take());
        },
      });
      return {
        with(labels) {
          const key = Object.values(labels).join('\n');
          const cell = cells.get(key) ?? new CountingCell(labels);
          cells.set(key, cell);
          return cell;
        },
      };
    },
    histogram(options) {
      const histogram = new Histogram({ ...shared(options), buckets: [...options.buckets] });
      return { with: (labels) => histogram.labels(labels) };
    },
    gauge(options, read) {
      new Gauge({
        ...shared(options),
        collect() {
          this.set(read());
        },
      });
    },
    gaugeBy(options, label, read) {
      new Gauge({
        ...shared({ ...options, labels: [label] }),
        collect() {
          this.reset();
          for (const [value, number] of Object.entries(read())) this.set({ [label]: value }, number);
        },
      });
    },
    counterOf(options, read) {
      new Counter({
        ...shared(options),
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    },
  };
}

/** Adds up between two pages: the library's counters make a text of their labels at each addition. */
class CountingCell implements CounterCell {
  readonly labels: Readonly<Record<string, string | number>>;
  #pending = 0;

  constructor(labels: Readonly<Record<string, string | number>>) {
    this.labels = labels;
  }

  add(amount: number): void {
    assert(amount >= 0, 'a counter only grows');
    this.#pending += amount;
  }

  /** What was added since the last call. */
  take(): number {
    const pending = this.#pending;
    this.#pending = 0;
    return pending;
  }
}
