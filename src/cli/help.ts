import type { Command, FlagSpec } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { helpFlag } from './flags.ts';

/** `quasar --help`. */
export function overview(commands: readonly Command[]): string {
  return [
    'quasar: store documents durably, read them back verified.',
    '',
    'Usage: quasar COMMAND [FLAGS] [ARGUMENTS]',
    ...commandList(commands),
    '',
    '"quasar COMMAND --help" tells all about a command.',
  ].join('\n');
}

/** `quasar WORD --help`, where `commands` are those whose first word it is. */
export function wordHelp(commands: readonly Command[]): string {
  return commandList(commands).slice(1).join('\n');
}

/** `quasar COMMAND --help`. */
export function commandHelp(command: Command): string {
  return [
    command.purpose,
    '',
    `Usage: ${['quasar', command.name, '[FLAGS]', command.usage].filter((word) => word !== '').join(' ')}`,
    ...section('Arguments', table(command.arguments.map(({ name, description }) => [name, description]))),
    ...section('Flags', table([...command.flags, helpFlag].map((flag) => [flagName(flag), flagText(flag)]))),
    ...section(
      'Notes',
      (command.notes ?? []).map((line) => `  ${line}`),
    ),
    ...section('Examples', table(command.examples.map(({ line, explanation }) => [line, explanation]))),
    ...section(
      'Exit codes',
      table([0, ...command.exitCodes].map((code) => [String(code), exitCodes[code as keyof typeof exitCodes]])),
    ),
  ].join('\n');
}

function commandList(commands: readonly Command[]): string[] {
  return section('Commands', table(commands.map(({ name, purpose }) => [name, purpose])));
}

function flagName(flag: FlagSpec): string {
  const long = `--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
  return flag.short === undefined ? long : `-${flag.short}, ${long}`;
}

function flagText(flag: FlagSpec): string {
  const facts: string[] = [];
  if (flag.default !== undefined) facts.push(`default: ${flag.default}${flag.unit === undefined ? '' : ` ${flag.unit}`}`);
  else if (flag.unit !== undefined) facts.push(flag.unit);
  if (flag.max !== undefined) facts.push(`at most ${flag.max}`);
  return facts.length === 0 ? flag.description : `${flag.description} (${facts.join(', ')})`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines];
}

function table(rows: readonly (readonly [string, string] | readonly string[])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => (left as string).length));
  return rows.map(([left, right]) => `  ${(left as string).padEnd(width)}  ${right}`);
}
