import type { Clock } from '../core/clock.ts';
import type { Flags } from './flags.ts';
import type { Terminal } from './terminal.ts';

/** A command as data: parsing, help and the documents are made from it, so they cannot disagree. */
export interface Command {
  /** One or two words, as typed. */
  readonly name: string;
  /** One sentence. */
  readonly purpose: string;
  /** What follows the name, flags left out: `FILE…`. Empty when nothing does. */
  readonly usage: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly argumentCount: { readonly min: number; readonly max: number };
  readonly flags: readonly FlagSpec[];
  readonly examples: readonly Example[];
  /** Lines of the help, for what flags and examples cannot say. */
  readonly notes?: readonly string[];
  /** Those of `exitCodes` (exit-code.ts) that can happen, without 0. */
  readonly exitCodes: readonly number[];
  /** It takes the process's signals itself, when it is ready to; `signal` is not for it. */
  readonly stopsItself?: true;
  /** Resolves with the exit code; a rejection is reported and mapped by its kind. */
  run(context: CommandContext): Promise<number>;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
}

export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  /** `switch` takes no value, `text` any, `count` a whole number from `min` (1 when not given) to `max`. */
  readonly kind: 'switch' | 'text' | 'count';
  /** What the value is called in the help: `DIR`. */
  readonly value?: string;
  readonly default?: string | number;
  /** Unit of a number, or where a default comes from. */
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  /** Of a text: it may be given several times. */
  readonly many?: true;
  readonly description: string;
}

export interface Example {
  readonly line: string;
  readonly explanation: string;
}

export interface CommandContext {
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly terminal: Terminal;
  readonly environment: { readonly url: string | undefined; readonly keyFile: string | undefined };
  readonly clock: Clock;
  /** Aborted by Ctrl-C, SIGTERM, or when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Waits; rejects when the signal aborts. */
  readonly wait: Wait;
}

export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;
