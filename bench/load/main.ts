import { readFileSync, writeFileSync } from 'node:fs';
import { systemClock } from '../../src/core/clock.ts';
import { readS3Credentials } from './drivers/aws4-signature.ts';
import { parseHeaderLines } from './http/wire-head.ts';
import { helpText } from './plan/help.ts';
import { parseCommandLine, planLoad } from './plan/parse-command-line.ts';
import type { LoadPlan } from './plan/plan.ts';
import { UsageFault } from './plan/usage-fault.ts';
import { planText, resultText } from './report-text.ts';
import { runLoad } from './run-load.ts';

const EXIT = { well: 0, failed: 1, usage: 2, interrupted: 130 } as const;

interface Wish {
  readonly plan: LoadPlan;
  readonly headers: readonly [string, string][];
  readonly json: string | undefined;
}

/**
 * `npm run bench -- load …`. Resolves with the exit code: 0 when all went well, 1 when there is no server or requests
 * failed, 2 for a command line that cannot be done, 130 after Ctrl-C.
 */
export async function load(argv: readonly string[]): Promise<number> {
  try {
    const wish = readWish(argv);
    if (wish !== undefined) return await carryOut(wish);
    print(helpText());
    return EXIT.well;
  } catch (error) {
    note(`load: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof UsageFault ? EXIT.usage : EXIT.failed;
  }
}

/** Undefined when the help is wanted. @throws UsageFault */
function readWish(argv: readonly string[]): Wish | undefined {
  const line = parseCommandLine(argv);
  if (line.help) return undefined;
  const { values } = line;
  const paths = values.paths === undefined ? [] : readLines('paths', values.paths);
  const plan = planLoad(line, { paths, newSeed: Buffer.from(systemClock.random(4)).readUInt32LE() });
  const wrong = paths.find((path) => !/^\/[\x21-\x7e]*$/.test(path));
  if (wrong !== undefined) throw new UsageFault(`--paths takes lines like /v1/documents/…/content, not "${wrong}"`);
  if (plan.driver === 's3-signed' && readS3Credentials(process.env) === undefined)
    throw new UsageFault('--driver s3-signed needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment');
  return { plan, headers: [...readKey(values['key-file']), ...readHeaders(values['header-file'])], json: values.json };
}

async function carryOut({ plan, headers, json }: Wish): Promise<number> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  // Only the first is ours: a second Ctrl-C ends the process at once.
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    for (const line of planText(plan)) note(line);
    const result = await runLoad({ plan, headers, stop: stop.signal, progress: note });
    if (result === undefined) return EXIT.interrupted;
    print(['', ...resultText(result)].join('\n'));
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, undefined, 2)}\n`);
    if (result.wasInterrupted) return EXIT.interrupted;
    return result.failures === 0 ? EXIT.well : EXIT.failed;
  } finally {
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
  }
}

function readKey(file: string | undefined): [string, string][] {
  if (file === undefined) return [];
  const headers = parseHeaderLines(`Authorization: Bearer ${readText('key-file', file).trim()}`);
  if (headers?.length !== 1) throw new UsageFault(`${file} holds no key: a key is one word on one line`);
  return headers;
}

function readHeaders(file: string | undefined): [string, string][] {
  if (file === undefined) return [];
  const headers = parseHeaderLines(readText('header-file', file));
  if (headers === undefined) throw new UsageFault(`a line of ${file} is no header; one looks like Authorization: Bearer …`);
  return headers;
}

function readLines(flag: string, file: string): string[] {
  return readText(flag, file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function readText(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageFault(`--${flag} cannot be read: ${(error as Error).message}`);
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
