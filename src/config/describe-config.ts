import type { ConfigValue, ValueSource } from './config-values.ts';
import type { ReadConfigResult } from './read-config.ts';

/** What `quasar config check` prints: every key that has a value, where it came from, secrets as `[redacted]`. */
export function describeConfig(result: ReadConfigResult): string {
  const { config, values, files } = result;
  const head = [
    `config folder  ${config.directory ?? 'none (defaults only)'}`,
    `files          ${files.length === 0 ? 'none' : files.join(', ')}`,
    `data           ${config.dataDirectory}`,
    `secrets        ${config.secretsDirectory}`,
  ];
  const rows = values.filter((value) => value.shown !== undefined);
  const width = Math.max(...rows.map((row) => row.key.length));
  const groups = [...new Set(rows.map((row) => row.file))].map((file) => {
    const lines = rows.filter((row) => row.file === file).map((row) => `  ${row.key.padEnd(width)}  ${describeValue(row)}`);
    return `${file}\n${lines.join('\n')}`;
  });
  return [head.join('\n'), ...groups].join('\n\n');
}

/** The same for `--json`. */
export function configAsJson(result: ReadConfigResult): unknown {
  const { config, values, files } = result;
  return {
    directory: config.directory ?? null,
    files,
    dataDirectory: config.dataDirectory,
    secretsDirectory: config.secretsDirectory,
    values: values.map(({ file, key, shown, source }) => ({ file, key, value: shown ?? null, source: describeSource(source) })),
  };
}

function describeValue(value: ConfigValue): string {
  return value.source.kind === 'default' ? `${value.shown}` : `${value.shown}  (${describeSource(value.source)})`;
}

function describeSource(source: ValueSource): string {
  return source.kind === 'file' ? `line ${source.line}` : source.kind;
}
