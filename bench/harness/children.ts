import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';

const STOP_MS = 40_000;
/** Far beyond what any of them takes: a server that does not answer must not hold the bench for ever. */
const RUN_MS = 120_000;

/** Runs a program to its end and returns what it printed. Throws with its last words when it fails. */
export async function runChild(command: string, args: readonly string[], input = '', limitMs = RUN_MS): Promise<string> {
  const child = spawn(command, args, { stdio: 'pipe' });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const forget = remember(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const [output, errors, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  clearTimeout(timer);
  forget();
  if (code !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}: ${errors.trim() || output.trim().slice(-500)}`);
  return output;
}

/** For programs whose last line is JSON. */
export async function runForJson<Result>(command: string, args: readonly string[], input = ''): Promise<Result> {
  const output = await runChild(command, args, input);
  const line = output
    .trim()
    .split('\n')
    .findLast((each) => each.startsWith('{'));
  if (line === undefined) throw new Error(`${command} printed no result: ${output.trim().slice(-500)}`);
  return JSON.parse(line) as Result;
}

/** What still runs, so that an interrupted bench leaves nothing behind. */
const running = new Set<ChildProcess>();
let ending = false;

/** Returns what forgets the child again. */
export function remember(child: ChildProcess): () => void {
  running.add(child);
  const forget = () => running.delete(child);
  child.once('exit', forget);
  // Whoever waited for one that was just stopped may have gone on to start the next.
  if (ending) child.kill('SIGKILL');
  return forget;
}

/** Asks a child to end, and makes it end when it does not listen. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

/** For the end of the program: what is started from now on is stopped at once. */
export async function stopAllChildren(): Promise<void> {
  ending = true;
  while (running.size > 0) await Promise.all([...running].map(stopChild));
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}
