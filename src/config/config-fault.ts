/** What is wrong with one line of a config file. `readConfig` collects them and makes one `config_invalid` of them. */
export class ConfigFault extends Error {
  override readonly name = 'ConfigFault';
  /** 1-based; undefined when no line is to blame. */
  readonly line: number | undefined;

  constructor(message: string, line?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.line = line;
  }
}
