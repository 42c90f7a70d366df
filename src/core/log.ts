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
  /**
   * A writer of info lines that differ in the values of `names` alone, which it is given in their order: cheap enough for
   * every request, since all else is made into text here, once.
   */
  repeated(fixed: LogFields, names: readonly string[], message: string): RepeatedLine;
}

export type RepeatedLine = (values: readonly (string | number)[]) => void;

/** Names as everywhere else; sizes in bytes, durations in milliseconds with the unit in the name. No secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Says nothing. For tests and tools that have no log. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
  repeated: () => () => undefined,
};
