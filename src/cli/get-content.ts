import { createHash, type Hash } from 'node:crypto';
import { existsSync, lstatSync } from 'node:fs';
import { QuasarError } from '../core/errors.ts';
import { Attempts } from './attempts.ts';
import { type ByteRange, parseByteRange } from './byte-range-flag.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { type ContentTarget, FileTarget, StreamTarget } from './content-target.ts';
import { type ContentFacts, contentPath, headContent, keyOfEtag, openContent } from './download-client.ts';
import { usage } from './flags.ts';
import type { HttpClient } from './http-client.ts';
import { ProgressDisplay, type Transfer } from './progress-display.ts';
import { describe } from './run-command-line.ts';
import { formatBytes, formatDuration, formatRate } from './units.ts';
import { selectorQuery } from './version-selector.ts';

/** `quasar get` from a server. */
export async function getContent(context: CommandContext): Promise<number> {
  const { args, flags } = context;
  const output = flags.text('output');
  const path = contentPath(args[0] as string, selectorQuery(flags));
  const rangeText = flags.text('range');
  const range = rangeText === undefined ? undefined : parseByteRange(rangeText);
  if (output !== undefined) assertFile(output);
  return withClient(context, (http) => new Download(context, http, path, range).run(output));
}

export function assertFile(output: string): void {
  if (lstatSync(output, { throwIfNoEntry: false })?.isDirectory())
    throw usage(`${output} is a folder; -o names the file to write.`);
}

/** Where the transfer stands, from the first answer on. */
interface Position {
  readonly facts: ContentFacts;
  /** Offset in the content of the next byte. */
  at: number;
  /** Over all bytes since offset 0; undefined when the download does not start there. */
  readonly hash: Hash | undefined;
}

class Download {
  readonly #context: CommandContext;
  readonly #http: HttpClient;
  readonly #path: string;
  readonly #range: ByteRange | undefined;
  readonly #attempts: Attempts;
  readonly #display: ProgressDisplay;
  #transfer: Transfer | undefined;

  constructor(context: CommandContext, http: HttpClient, path: string, range: ByteRange | undefined) {
    this.#context = context;
    this.#http = http;
    this.#path = path;
    this.#range = range;
    this.#display = new ProgressDisplay(context.terminal, context.clock);
    this.#attempts = new Attempts(context, (failure, waitMs) => {
      const line = `quasar: ${describe(failure)} Trying again in ${formatDuration(waitMs)}.`;
      void this.#display.above(() => context.terminal.note(line));
    });
  }

  async run(output: string | undefined): Promise<number> {
    const { terminal, signal, clock } = this.#context;
    const startedMs = clock.monotonic();
    const file = output === undefined ? undefined : new FileTarget(output);
    const target = file ?? new StreamTarget(terminal.stdout, signal);
    try {
      const begun = file === undefined ? undefined : await this.#resume(file, output as string);
      const position = await this.#transferAll(target, file, begun);
      await this.#check(position, target);
      await target.complete();
      this.#display.close();
      await this.#tell(position, output, clock.monotonic() - startedMs);
      return 0;
    } catch (error) {
      if (signal.aborted && output !== undefined) this.#sayHowToContinue(output);
      throw error;
    } finally {
      this.#transfer?.end();
      this.#display.close();
      await target.close();
    }
  }

  /** Continues what an earlier run left, when it is of the same content; a range is always read anew. */
  async #resume(file: FileTarget, output: string): Promise<Position | undefined> {
    if (this.#range !== undefined || !existsSync(`${output}.part`)) return undefined;
    const facts = await this.#attempts.run(() => headContent(this.#http, this.#path));
    const size = facts.etag === undefined ? 0 : await file.resumableSize(facts.etag);
    if (size === 0 || size > facts.size) return undefined;
    const { hash, adopted } = await file.adopt(size);
    this.#context.terminal.note(`continuing ${output}.part at ${formatBytes(adopted)}`);
    return { facts, at: adopted, hash };
  }

  async #transferAll(target: ContentTarget, file: FileTarget | undefined, begun: Position | undefined): Promise<Position> {
    let position = begun;
    while (position === undefined || position.at < position.facts.end) {
      const before: number | undefined = position?.at;
      try {
        const { facts, body } = await openContent(this.#http, this.#path, this.#wish(position));
        position ??= await this.#begin(facts, file);
        if (facts.start !== position.at || facts.etag !== position.facts.etag) {
          body.destroy();
          throw contentChanged();
        }
        await this.#receive(body, target, position);
      } catch (failure) {
        if (position !== undefined && position.at !== before) this.#attempts.progressed();
        await this.#attempts.afterFailure(failure);
      }
    }
    return position;
  }

  #wish(position: Position | undefined): { range: string | undefined; etag: string | undefined } {
    if (position !== undefined) return { range: `${position.at}-${position.facts.end - 1}`, etag: position.facts.etag };
    const range = this.#range;
    if (range === undefined) return { range: undefined, etag: undefined };
    return { range: range.kind === 'suffix' ? `-${range.size}` : `${range.first}-${range.last ?? ''}`, etag: undefined };
  }

  async #begin(facts: ContentFacts, file: FileTarget | undefined): Promise<Position> {
    await file?.begin(this.#range === undefined ? facts.etag : undefined);
    const whole = facts.start === 0 && facts.end === facts.size;
    return { facts, at: facts.start, hash: whole ? createHash('sha256') : undefined };
  }

  async #receive(body: AsyncIterable<Uint8Array>, target: ContentTarget, position: Position): Promise<void> {
    const { facts } = position;
    this.#transfer ??= this.#display.begin(this.#context.args[0] as string, facts.end - facts.start);
    const chunks = body[Symbol.asyncIterator]();
    for (;;) {
      const next = await chunks.next().catch((cause) => {
        throw this.#http.bodyFault(cause);
      });
      if (next.done === true) break;
      await target.write(next.value);
      position.hash?.update(next.value);
      position.at += next.value.byteLength;
      this.#transfer.reach(position.at - facts.start);
    }
    if (position.at < facts.end) throw this.#http.bodyFault(new Error('it ended early'));
  }

  async #check({ facts, hash }: Position, target: ContentTarget): Promise<void> {
    if (hash === undefined || facts.sha256 === undefined) return;
    if (hash.copy().digest('hex') === facts.sha256) return;
    const kept = await target.damaged();
    throw new QuasarError('corrupt', {
      op: 'cli.get',
      message: `The bytes that came do not have the SHA-256 the server announced.${kept}`,
    });
  }

  async #tell({ facts, hash }: Position, output: string | undefined, ms: number): Promise<void> {
    const { terminal, flags } = this.#context;
    const size = facts.end - facts.start;
    const verified = hash !== undefined && facts.sha256 !== undefined;
    if (flags.switch('json')) {
      const view = {
        file: output ?? null,
        key: keyOfEtag(facts.etag),
        sha256: facts.sha256,
        size,
        start: facts.start,
        verified,
        ms: Math.round(ms),
      };
      // Standard output may be the content itself.
      if (output === undefined) terminal.note(JSON.stringify(view));
      else await terminal.printJson(view);
      return;
    }
    if (output === undefined) return;
    const checked = verified ? `, SHA-256 ${facts.sha256}` : '';
    terminal.note(
      `${output}: ${formatBytes(size)} in ${formatDuration(ms)} (${formatRate((size / Math.max(ms, 1)) * 1000)})${checked}`,
    );
  }

  #sayHowToContinue(output: string): void {
    if (existsSync(`${output}.part`)) {
      this.#context.terminal.note(`What came is in ${output}.part. Run the same command again to continue.`);
    }
  }
}

function contentChanged(): QuasarError {
  return new QuasarError('version_conflict', {
    op: 'cli.get',
    message: 'The document got a new version while it was being read. Run the command again, or name one with --version.',
  });
}
