/**
 * Where the program says what happened, one structured line an event. `telemetry/pino-log.ts` writes them.
 * A failure is logged once, where it is handled, as `{ error }`: code, message and causes are taken from it.
 */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A log whose every line carries `bindings` too. */
  child(bindings: LogFields): Log;
}

/** Names as everywhere else; sizes in bytes, durations in milliseconds with the unit in the name. No secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Says nothing. For tests and tools that have no log. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
};
