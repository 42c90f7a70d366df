import { type DestinationStream, type Logger, pino } from 'pino';
import { systemClock, toTimestamp } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { describeError } from './describe-error.ts';
import { LineBatches } from './line-batches.ts';
import { repeatedLine } from './repeated-line.ts';

export interface PinoLogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** `auto`: pretty on a terminal, JSON lines elsewhere. */
  readonly format: 'auto' | 'json' | 'pretty';
  /** Takes the lines in place of standard output. */
  readonly output?: DestinationStream;
}

export interface PinoLog extends Log {
  /** Writes out what is buffered. Call it last; lines after it are still written, at once. */
  close(): void;
}

const FLUSH_INTERVAL_MS = 500;
/** Some seventy requests. */
const BATCH_SIZE = 16_384;

/**
 * JSON lines leave in small batches, since a system call a request would be felt; warnings and errors leave at once.
 * What is buffered is written when the process exits, also by an exception.
 *
 * Secrets are kept out by their type (`config/secret.ts`); `redactNames` is a second net. pino's own redaction does the
 * same for a fifth of what a small request costs.
 */
export async function openPinoLog(options: PinoLogOptions): Promise<PinoLog> {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && process.stdout.isTTY === true);
  const buffered = pretty || options.output !== undefined ? undefined : openBuffer();
  const output = (
    pretty ? await prettyOutput(options.output ?? process.stdout) : (options.output ?? buffered?.output)
  ) as DestinationStream;
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: timeField,
      formatters: { level: (label) => ({ level: label }), log: redactNames },
      serializers: { error: (error: unknown) => describeError(error) },
    },
    output,
  );
  return { ...adapt(logger, { output, flush: buffered?.flush ?? (() => undefined) }), close: () => buffered?.close() };
}

let timeAt = 0;
let timeText = '';

/** As pino's `isoTime`, formatted once a millisecond. */
function timeField(): string {
  const now = systemClock.now();
  if (now !== timeAt) {
    timeAt = now;
    timeText = `,"time":"${toTimestamp(now)}"`;
  }
  return timeText;
}

/** Values under names that promise a secret are replaced, at the top and one level below. */
function redactNames(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
  let safe = fields;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const kept = SECRET_NAMES.has(name) ? '[redacted]' : depth === 0 && isPlainObject(value) ? redactNames(value, 1) : value;
    if (kept === value) continue;
    if (safe === fields) safe = { ...fields };
    safe[name] = kept;
  }
  return safe;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}

const SECRET_NAMES: ReadonlySet<string> = new Set(['password', 'secret', 'token', 'authorization', 'cookie']);

interface Outlet {
  readonly output: DestinationStream;
  readonly flush: () => void;
}

function adapt(logger: Logger, outlet: Outlet): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn(fields, message) {
      logger.warn(fields, message);
      outlet.flush();
    },
    error(fields, message) {
      logger.error(fields, message);
      outlet.flush();
    },
    child: (bindings) => adapt(logger.child(bindings), outlet),
    repeated(fixed, names, message) {
      if (!logger.isLevelEnabled('info')) return () => undefined;
      const all = redactNames({ ...logger.bindings(), ...fixed });
      return repeatedLine({ output: outlet.output, time: timeField, fixed: all, names, message });
    },
  };
}

interface BufferedOutput {
  readonly output: DestinationStream;
  flush(): void;
  close(): void;
}

function openBuffer(): BufferedOutput {
  const output = new LineBatches({
    descriptor: process.stdout.fd,
    sizeMax: BATCH_SIZE,
    describeDropped: (count) =>
      `{"level":"warn"${timeField()},"count":${count},"msg":"Lines were dropped here: the reader of the log was too slow."}\n`,
    // A reader that went away (`| head`) must not take the server with it; there is nobody left to tell but stderr.
    onFailure: (error) => void process.stderr.write(`quasar: the log can no longer be written: ${error.message}\n`),
  });
  process.once('exit', () => output.flushSync());
  setInterval(() => output.flush(), FLUSH_INTERVAL_MS).unref();
  return { output, flush: () => output.flush(), close: () => output.flushSync() };
}

/** Loaded on demand: servers write JSON. In-process, because a worker would lose the lines before a crash. */
async function prettyOutput(target: { write(text: string): unknown }): Promise<DestinationStream> {
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: process.stdout.isTTY === true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
  });
  return { write: (line) => void target.write(pretty(line)) };
}
