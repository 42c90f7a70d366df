import type { ConfigValue } from '../config/config-values.ts';
import { type ReadConfigResult, readConfig } from '../config/read-config.ts';
import { isQuasarError } from '../core/errors.ts';
import type { CommandContext } from './command.ts';
import { printable, type Terminal } from './terminal.ts';

/** `quasar config check`: all faults at once, so that nobody has to mend and try again one by one. */
export async function checkConfig({ flags, terminal }: CommandContext): Promise<number> {
  const json = flags.switch('json');
  let result: ReadConfigResult;
  try {
    result = await readConfig({ configDirectory: flags.text('config') });
  } catch (error) {
    const problems = isQuasarError(error, 'config_invalid') ? error.details.problems : undefined;
    if (!Array.isArray(problems)) throw error;
    await tellProblems(problems.map(String), terminal, json);
    return 2;
  }
  const { values, files, config } = result;
  if (json) await terminal.printJson({ valid: true, directory: config.directory ?? null, files, values: values.map(valueView) });
  else await tellValues(result, terminal);
  return 0;
}

async function tellProblems(problems: readonly string[], terminal: Terminal, json: boolean): Promise<void> {
  if (json) return terminal.printJson({ valid: false, problems });
  for (const problem of problems) terminal.note(`quasar: ${printable(problem)}`);
}

async function tellValues({ values, files, config }: ReadConfigResult, terminal: Terminal): Promise<void> {
  await terminal.print(`Folder: ${config.directory ?? 'none; every key has its default'}`);
  for (const file of files) await terminal.print(`Read:   ${file}`);
  const width = Math.max(...values.map(({ key }) => key.length));
  let file = '';
  for (const value of values) {
    if (value.file !== file) {
      file = value.file;
      await terminal.print(`\n${file}`);
    }
    await terminal.print(`  ${value.key.padEnd(width)} = ${printable(value.shown ?? '(none)')}${origin(value)}`);
  }
  await terminal.print('\nThe configuration is valid.');
}

function origin({ source }: ConfigValue): string {
  return source.kind === 'file' ? `  (line ${source.line})` : '';
}

function valueView({ file, key, shown, source }: ConfigValue): Record<string, unknown> {
  return { file, key, value: shown ?? null, source: source.kind, line: source.kind === 'file' ? source.line : null };
}
