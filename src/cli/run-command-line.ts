import { isQuasarError, type QuasarError, toQuasarError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import type { Command, CommandContext } from './command.ts';
import { exitCodeOf } from './exit-code.ts';
import { parseCommandLine, usage } from './flags.ts';
import { commandHelp, overview, wordHelp } from './help.ts';
import { printable, type Terminal } from './terminal.ts';

export interface Surroundings extends Omit<CommandContext, 'args' | 'flags'> {
  /** From here on signals of the process abort `signal`, instead of ending it. */
  readonly watchSignals: () => void;
}

/** Finds the command, parses its line, runs it; resolves with the exit code and never rejects. */
export async function runCommandLine(
  commands: readonly Command[],
  line: readonly string[],
  around: Surroundings,
): Promise<number> {
  try {
    const code = await dispatch(commands, line, around);
    await around.terminal.settle();
    // A result that did not reach its reader is none. A signal that came after the work was done changes nothing.
    if (isQuasarError(around.signal.reason, 'file_unreadable')) throw around.signal.reason;
    return code;
  } catch (error) {
    // Once stopped, whatever broke in the wake of it is not worth telling.
    const failure = toQuasarError(around.signal.aborted ? around.signal.reason : error, 'cli.run');
    report(failure, around.terminal, line.includes('--json'));
    if (failure.code === 'usage') around.terminal.note(`See "${helpLine(commands, line)}".`);
    return exitCodeOf(failure);
  }
}

async function dispatch(commands: readonly Command[], line: readonly string[], around: Surroundings): Promise<number> {
  const { terminal } = around;
  const [first] = line;
  if (first === undefined) {
    terminal.note(overview(commands));
    return 2;
  }
  if (first === '--version') return dispatch(commands, ['version'], around);
  if (first === '--help' || first === '-h' || first === 'help') {
    await terminal.print(helpOf(commands, line.slice(1)));
    return 0;
  }
  if (line.length === 2 && (line[1] === '--help' || line[1] === '-h') && withWord(commands, first).length > 0) {
    await terminal.print(helpOf(commands, [first]));
    return 0;
  }
  const command = findCommand(commands, line);
  const { args, flags } = parseCommandLine(command, line.slice(command.name.split(' ').length));
  if (flags.switch('help')) {
    await terminal.print(commandHelp(command));
    return 0;
  }
  if (!command.stopsItself) around.watchSignals();
  return command.run({ ...around, args, flags });
}

function helpOf(commands: readonly Command[], asked: readonly string[]): string {
  const [word] = asked;
  if (word === undefined) return overview(commands);
  const several = withWord(commands, word);
  return asked.length === 1 && several.length > 0 ? wordHelp(several) : commandHelp(findCommand(commands, asked));
}

/** Commands of two words of which this is the first. */
function withWord(commands: readonly Command[], word: string): readonly Command[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `));
}

function findCommand(commands: readonly Command[], line: readonly string[]): Command {
  const command = commands.find(({ name }) => matches(name, line));
  if (command !== undefined) return command;
  const typed = printable(line[0] ?? '');
  const second = withWord(commands, typed).map(({ name }) => `"quasar ${name}"`);
  if (second.length > 0) throw usage(`"quasar ${typed}" needs one more word: ${second.join(', ')}.`);
  const meant = nearest(
    typed,
    commands.map(({ name }) => name),
  );
  throw usage(`There is no command "${typed}"${meant === undefined ? '' : `; did you mean "quasar ${meant}"?`}`);
}

function matches(name: string, line: readonly string[]): boolean {
  return name.split(' ').every((word, index) => line[index] === word);
}

function helpLine(commands: readonly Command[], line: readonly string[]): string {
  const command = commands.find(({ name }) => matches(name, line));
  return command === undefined ? 'quasar --help' : `quasar ${command.name} --help`;
}

/** Says once, in one line, what went wrong. */
export function report(failure: QuasarError, terminal: Terminal, json: boolean): void {
  if (failure.details.quiet === true) return;
  if (json) terminal.note(JSON.stringify({ error: errorView(failure) }));
  else terminal.note(`quasar: ${describe(failure)}`);
}

export function errorView(failure: QuasarError): { code: string; message: string; details: Readonly<Record<string, unknown>> } {
  return { code: failure.code, message: failure.message, details: failure.details };
}

/** The sentence, with what helps to look further: the server's request id, or the cause of a bug. */
export function describe(failure: QuasarError): string {
  const { requestId } = failure.details;
  const trail = typeof requestId === 'string' ? ` (request ${requestId})` : '';
  if (failure.code === 'internal' && failure.cause instanceof Error && !isQuasarError(failure.cause)) {
    return printable(`${failure.message} ${failure.cause.message}${trail}`);
  }
  return printable(`${failure.message}${trail}`);
}
