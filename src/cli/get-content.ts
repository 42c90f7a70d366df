import { createHash, type Hash } from 'node:crypto';
import { QuasarError } from '../core/errors.ts';
import { Attempts } from './attempts.ts';
import { type ByteRange, parseByteRange } from './byte-range-flag.ts';
import { withClient } from './client-flags.ts';
import type { CommandContext } from './command.ts';
import { assertOnDisk, type ContentTarget, FileTarget, openTarget, StreamTarget } from './content-target.ts';
import { type ContentFacts, contentPath, headContent, keyOfEtag, openContent } from './download-client.ts';
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
  return withClient(context, (http) => new Download(context, http, path, range).run(output));
}

/** Where the transfer stands, from the first answer on. */
interface Position {
  readonly facts: ContentFacts;
  /** Offset in the content of the next byte. */
  at: number;
  /** SHA-256 over all bytes of the download, those of an earlier run too. */
  readonly hash: Hash;
  /** The download is the whole content, of which the server says the digest. */
  readonly verifiable: boolean;
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
    const { signal, clock } = this.#context;
    const startedMs = clock.monotonic();
    const target = await openTarget(output, this.#context);
    try {
      const begun = target instanceof FileTarget ? await this.#resume(target, output as string) : undefined;
      const position = await this.#transferAll(target, begun);
      await this.#check(position, target);
      await target.complete();
      this.#display.close();
      await this.#tell(position, target instanceof StreamTarget ? undefined : output, clock.monotonic() - startedMs);
      return 0;
    } catch (error) {
      const waiting = await target.close();
      if (signal.aborted && waiting !== undefined) {
        this.#context.terminal.note(`What came is in ${waiting}. Run the same command again to continue.`);
      }
      throw error;
    } finally {
      this.#transfer?.end();
      this.#display.close();
      await target.close();
    }
  }

  /** Continues what an earlier run left, when it is of the same content; a range is always read anew. */
  async #resume(file: FileTarget, output: string): Promise<Position | undefined> {
    if (this.#range !== undefined || !(await file.leftUnfinished())) return undefined;
    const facts = await this.#attempts.run(() => headContent(this.#http, this.#path));
    if (facts.etag === undefined) return undefined;
    const hash = createHash('sha256');
    const at = await file.resume(facts.etag, facts.size, (bytes) => hash.update(bytes));
    if (at === 0) return undefined;
    this.#context.terminal.note(`continuing ${output} at ${formatBytes(at)}, where an earlier run stopped`);
    return { facts, at, hash, verifiable: facts.sha256 !== undefined };
  }

  async #transferAll(target: ContentTarget, begun: Position | undefined): Promise<Position> {
    let position = begun;
    while (position === undefined || position.at < position.facts.end) {
      const before: number | undefined = position?.at;
      try {
        const { facts, body } = await openContent(this.#http, this.#path, this.#wish(position));
        position ??= await this.#begin(facts, target);
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

  async #begin(facts: ContentFacts, target: ContentTarget): Promise<Position> {
    await target.begin(this.#range === undefined ? facts.etag : undefined);
    const whole = facts.start === 0 && facts.end === facts.size;
    return { facts, at: facts.start, hash: createHash('sha256'), verifiable: whole && facts.sha256 !== undefined };
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
      position.hash.update(next.value);
      position.at += next.value.byteLength;
      this.#transfer.reach(position.at - facts.start);
    }
    if (position.at < facts.end) throw this.#http.bodyFault(new Error('it ended early'));
  }

  async #check({ facts, hash, verifiable }: Position, target: ContentTarget): Promise<void> {
    const came = hash.copy().digest('hex');
    await assertOnDisk(target, came);
    if (!verifiable || came === facts.sha256) return;
    const kept = await target.damaged();
    throw new QuasarError('corrupt', {
      op: 'cli.get',
      message: `The bytes that came do not have the SHA-256 the server announced.${kept}`,
    });
  }

  async #tell({ facts, verifiable: verified }: Position, output: string | undefined, ms: number): Promise<void> {
    const { terminal, flags } = this.#context;
    const size = facts.end - facts.start;
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
}

function contentChanged(): QuasarError {
  return new QuasarError('version_conflict', {
    op: 'cli.get',
    message: 'The document got a new version while it was being read. Run the command again, or name one with --version.',
  });
}
