/**
 * Numbers for operators, in base units (seconds, bytes), named `quasar_<thing>_<unit>[_total]`.
 * `telemetry/prom-metrics.ts` collects them. Registering a name twice is a bug and throws.
 */
export interface Metrics {
  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label>;
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
  /** `read` is called for each page of metrics; it must be quick and must not throw. */
  gauge(options: MetricOptions<never>, read: () => number): void;
  /** One gauge with a label; `read` returns the value of each label value. */
  gaugeBy(options: MetricOptions<string>, label: string, read: () => Readonly<Record<string, number>>): void;
  /** A counter somebody else keeps; `read` returns its total, which only grows. */
  counterOf(options: MetricOptions<never>, read: () => number): void;
}

export interface MetricOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
}

export interface HistogramOptions<Label extends string> extends MetricOptions<Label> {
  /** Upper bounds in the metric's unit, ascending. */
  readonly buckets: readonly number[];
}

export type LabelValues<Label extends string> = Readonly<Record<Label, string | number>>;

export interface Counter<Label extends string> {
  /** Resolves the labels once; keep the result where things are hot. Label values must come from a small, fixed set. */
  with(labels: LabelValues<Label>): CounterCell;
}

export interface CounterCell {
  add(amount: number): void;
}

export interface Histogram<Label extends string> {
  /** Resolves the labels once; keep the result where things are hot. */
  with(labels: LabelValues<Label>): HistogramCell;
}

export interface HistogramCell {
  observe(value: number): void;
}

/** From half a millisecond to half a minute: what requests and disk writes take. In seconds. */
export const durationBuckets: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
