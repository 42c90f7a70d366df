import type { QuasarError } from '../core/errors.ts';
import { usage } from './flags.ts';

/** Lets text through to a terminal and nothing else: bytes of a document must not command it. */
export class TerminalGuard {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });

  /** @throws QuasarError `usage`. */
  admit(bytes: Uint8Array): void {
    if (!this.#isText(bytes)) throw notText();
  }

  #isText(bytes: Uint8Array): boolean {
    try {
      return !COMMANDS.test(this.#decoder.decode(bytes, { stream: true }));
    } catch {
      return false;
    }
  }
}

/** Control characters but for tab, line feed, form feed and carriage return. */
const COMMANDS = /[^\P{Cc}\t\n\f\r]/u;

function notText(): QuasarError {
  return usage(
    'The content is not text, and standard output is a terminal. Write it to a file with -o FILE, or force it with -o -.',
  );
}
