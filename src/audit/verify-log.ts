import type { OrgId } from '../core/ids.ts';
import { limits } from '../core/limits.ts';
import { Fault } from '../segment/fault.ts';
import { CheckpointFault, openCheckpoint, orgOfOrigin } from './checkpoint.ts';
import { decodeEvent, EventFault } from './event.ts';
import { type CheckpointLine, type HeaderLine, type LeafLine, parseExportLine } from './export-line.ts';
import { type Finding, Findings } from './finding.ts';
import { HeadCheck } from './head-check.ts';
import { equalHashes, hashLeaf, type TreeHash, treeHashToBase64 } from './merkle-hash.ts';
import type { NoteVerifier } from './note-key.ts';

/**
 * Verification of an exported log, off line: needs the export, the public key of the log, and, to notice what the log's own
 * key could hide, a checkpoint the verifier kept from earlier. Reads once, in O(log n) memory.
 */
export interface VerifyLogOptions {
  /** The log's keys, by the names they sign under, and those of witnesses. */
  readonly trusted: readonly NoteVerifier[];
  /** Checkpoints from earlier, as signed notes, in any order. */
  readonly kept?: readonly string[];
  /** The log it has to be; any one when absent. */
  readonly origin?: string;
  /** Of a log that is being written: so many events behind the last signed head are no finding. None when absent. */
  readonly unsignedMax?: number;
}

export interface LogReport {
  /**
   * `whole`: nothing is wrong, and a signature covers every event but those that `unsignedMax` allows. `unproven`: nothing is
   * wrong that can be seen, and events that no signature covers may be anybody's.
   */
  readonly verdict: 'whole' | 'unproven' | 'damaged';
  /** It is whole. */
  readonly ok: boolean;
  readonly origin: string | undefined;
  /** Number of the last event and one. */
  readonly size: number;
  /** Base64, over the events that were read. */
  readonly root: string;
  /** Events covered by the largest checkpoint they fit. */
  readonly signedSize: number;
  /** When that says it was signed, RFC 3339. An old one may be all that was left of a longer log. */
  readonly signedAt: string | undefined;
  /** Events behind it. */
  readonly unsigned: number;
  /** The first `limits.auditFindingsMax`. */
  readonly findings: readonly Finding[];
  readonly findingCount: number;
}

/**
 * Lines come without their newlines, cut at U+000A alone: an event may hold U+2028, where some readers of lines cut, too.
 * Whatever lines hold is a finding; throws only what `lines` throws.
 */
export async function verifyLog(lines: AsyncIterable<string> | Iterable<string>, options: VerifyLogOptions): Promise<LogReport> {
  const log = new LogVerification(options);
  for await (const line of lines) log.take(line);
  return log.finish();
}

interface EditedLeaf {
  readonly leaf: number;
  readonly found: TreeHash;
  readonly stated: TreeHash;
}

class LogVerification {
  readonly #trusted: readonly NoteVerifier[];
  readonly #unsignedMax: number;
  readonly #findings = new Findings();
  readonly #heads = new HeadCheck(this.#findings);
  /** By the hash the log holds for them. */
  readonly #edited = new Map<string, EditedLeaf>();
  #origin: string | undefined;
  #orgId: OrgId | undefined;
  #line = 0;
  /** The leaf that was missing before the last one that came. */
  #missing: number | undefined;

  constructor({ trusted, kept, origin, unsignedMax = 0 }: VerifyLogOptions) {
    this.#trusted = trusted;
    this.#unsignedMax = unsignedMax;
    this.#setOrigin(origin);
    for (const [index, note] of (kept ?? []).entries()) this.#takeNote(note, `kept checkpoint ${index + 1}`);
  }

  take(text: string): void {
    this.#line += 1;
    const line = text.length > limits.auditLineMax ? new Fault('it is longer than a reader takes') : parseExportLine(text);
    if (this.#line === 1 && (line instanceof Fault || line.kind !== 'header')) this.#reportLine('there is no header before it');
    if (line instanceof Fault) this.#reportLine(line.meaning);
    else if (line.kind === 'header') this.#takeHeader(line);
    else if (line.kind === 'leaf') this.#takeLeaf(line);
    else this.#takeCheckpoint(line);
  }

  finish(): LogReport {
    if (this.#line === 0) this.#findings.add({ kind: 'bad-line', line: 1, meaning: 'The export is empty.' });
    this.#heads.finish();
    const { next: size, fit } = this.#heads;
    const signedSize = fit?.size ?? 0;
    // Where something is wrong that is what there is to say; without any signature 'no-checkpoint' has said it.
    if (this.#findings.count === 0 && size - signedSize > this.#unsignedMax) this.#reportUnsigned(signedSize, size);
    const verdict = this.#findings.count === 0 ? 'whole' : this.#findings.harmless ? 'unproven' : 'damaged';
    return {
      verdict,
      ok: verdict === 'whole',
      origin: this.#origin,
      size,
      root: treeHashToBase64(this.#heads.root()),
      signedSize,
      signedAt: fit?.time,
      unsigned: size - signedSize,
      findings: this.#findings.list,
      findingCount: this.#findings.count,
    };
  }

  #takeHeader({ origin }: HeaderLine): void {
    if (this.#line > 1) this.#reportLine('a header stands at the beginning only');
    else if (this.#origin === undefined) this.#setOrigin(origin);
    else if (origin !== this.#origin) this.#reportForeign(`The export is of ${origin}, not of ${this.#origin}.`);
  }

  #takeCheckpoint({ note }: CheckpointLine): void {
    if (!this.#takeNote(note, `the checkpoint in line ${this.#line}`)) {
      const meaning = `The checkpoint in line ${this.#line} stands behind events that it does not cover.`;
      this.#findings.add({ kind: 'misplaced-checkpoint', line: this.#line, meaning });
    }
  }

  /** False when it comes too late to be compared. */
  #takeNote(text: string, source: string): boolean {
    const checkpoint = openCheckpoint(text, this.#trusted);
    const line = this.#line === 0 ? {} : { line: this.#line };
    if (checkpoint instanceof CheckpointFault) {
      this.#findings.add({ kind: checkpoint.kind, ...line, meaning: `Of ${source}: ${checkpoint.meaning}.` });
      return true;
    }
    if (this.#origin === undefined) this.#setOrigin(checkpoint.origin);
    if (checkpoint.origin === this.#origin) return this.#heads.expect({ ...checkpoint, source });
    this.#reportForeign(`Of ${source}: it is of ${checkpoint.origin}, not of ${this.#origin}.`);
    return true;
  }

  #takeLeaf(line: LeafLine): void {
    const { leaf, bytes } = line;
    const event = decodeEvent(bytes);
    if (event instanceof EventFault) {
      this.#findings.add({ kind: event.kind, line: this.#line, leaf, meaning: `Of event ${leaf}: ${event.meaning}.` });
    } else if (this.#orgId !== undefined && event.orgId !== this.#orgId) {
      this.#reportForeign(`Event ${leaf} is of the org ${event.orgId}.`, leaf);
    }
    const hash = hashLeaf(bytes);
    if (!equalHashes(hash, line.hash)) this.#reportEdited({ leaf, found: hash, stated: line.hash });
    if (this.#isNext(leaf)) this.#heads.append(hash);
  }

  #isNext(leaf: number): boolean {
    const next = this.#heads.next;
    if (leaf < next) {
      this.#reportRepeat(leaf);
      return false;
    }
    this.#missing = leaf === next + 1 ? next : undefined;
    if (leaf > next) {
      const range = leaf === next + 1 ? `Event ${next} is` : `Events ${next} to ${leaf - 1} are`;
      this.#findings.add({ kind: 'gap', line: this.#line, leaf: next, end: leaf, meaning: `${range} missing.` });
      this.#heads.skipTo(leaf);
    }
    return true;
  }

  #reportRepeat(leaf: number): void {
    if (leaf === this.#missing) {
      this.#findings.replace('gap', leaf, pairFinding(leaf, leaf + 1));
    } else {
      const meaning = `Event ${leaf} comes again, or too late.`;
      this.#findings.add({ kind: 'repeat', line: this.#line, leaf, meaning });
    }
    this.#missing = undefined;
  }

  /** Two events that have each other's hashes have changed places. */
  #reportEdited(edited: EditedLeaf): void {
    const other = this.#edited.get(treeHashToBase64(edited.found));
    if (other !== undefined && equalHashes(other.found, edited.stated)) {
      this.#findings.replace('edited-event', other.leaf, pairFinding(other.leaf, edited.leaf));
      return;
    }
    if (this.#edited.size < limits.auditFindingsMax) this.#edited.set(treeHashToBase64(edited.stated), edited);
    const meaning = `Event ${edited.leaf} was edited: its bytes do not have the hash that the log holds for it.`;
    this.#findings.add({ kind: 'edited-event', line: this.#line, leaf: edited.leaf, meaning });
  }

  #reportUnsigned(leaf: number, end: number): void {
    const range = end - leaf === 1 ? `Event ${leaf} is` : `Events ${leaf} to ${end - 1} are`;
    const meaning = `${range} not proved: no signature covers what comes behind event ${leaf - 1}, and anybody could have written it.`;
    this.#findings.add({ kind: 'unsigned-tail', leaf, end, meaning });
  }

  #reportLine(meaning: string): void {
    this.#findings.add({ kind: 'bad-line', line: this.#line, meaning: `Of line ${this.#line}: ${meaning}.` });
  }

  #reportForeign(meaning: string, leaf?: number): void {
    const line = this.#line === 0 ? {} : { line: this.#line };
    this.#findings.add({ kind: 'foreign', ...line, ...(leaf === undefined ? {} : { leaf }), meaning });
  }

  #setOrigin(origin: string | undefined): void {
    this.#origin = origin;
    this.#orgId = origin === undefined ? undefined : orgOfOrigin(origin);
  }
}

function pairFinding(leaf: number, end: number): Finding {
  return { kind: 'reordered-pair', leaf, end, meaning: `Events ${leaf} and ${end} have changed places.` };
}
