import type { LogFields, RepeatedLine } from '../core/log.ts';
import type { LineOutput } from './line-batches.ts';

export interface RepeatedLineOptions {
  readonly output: LineOutput;
  /** The time as a field of the line, with the comma before it. */
  readonly time: () => string;
  readonly fixed: LogFields;
  readonly names: readonly string[];
  readonly message: string;
}

/**
 * Lines as pino writes them at level info, without going through names and types at each: a range answered from memory
 * takes 25 us, and pino had two of them.
 */
export function repeatedLine({ output, time, fixed, names, message }: RepeatedLineOptions): RepeatedLine {
  const fields = JSON.stringify(fixed).slice(1, -1);
  const before = fields === '' ? '' : `,${fields}`;
  const labels = names.map((name) => `,${JSON.stringify(name)}:`);
  const after = `,"msg":${JSON.stringify(message)}}\n`;
  return (values) => {
    let line = `{"level":"info"${time()}${before}`;
    for (let at = 0; at < labels.length; at++) line += (labels[at] as string) + JSON.stringify(values[at]);
    output.write(line + after);
  };
}
