import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './messages.ts';

const PROGRAM = fileURLToPath(new URL('./worker-program.js', import.meta.url));

/** A worker as the command sees it: a process that is told what to do and reports when it has done it. */
export class WorkerProcess {
  readonly #child: ChildProcess = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  readonly #onProgress: (prepared: number) => void;
  #expected: { type: Report['type']; resolve: (report: Report) => void; reject: (error: Error) => void } | undefined;
  #isClosing = false;

  constructor(onProgress: (prepared: number) => void) {
    this.#onProgress = onProgress;
    this.#child.on('message', (report: Report) => this.#hear(report));
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('exit', (code, signal) => {
      if (!this.#isClosing) this.#fail(new Error(`a worker process ended with ${code ?? signal}`));
    });
  }

  /** Resolves with the report of that type. @throws Error with one line when the worker fails. */
  order<Type extends Report['type']>(order: Order, answer: Type): Promise<Extract<Report, { type: Type }>> {
    return new Promise((resolve, reject) => {
      this.#expected = { type: answer, resolve: (report) => resolve(report as Extract<Report, { type: Type }>), reject };
      this.#child.send(order);
    });
  }

  /** Ends a run; what `order` waits for comes soon. */
  stop(): void {
    if (this.#child.connected) this.#child.send({ type: 'stop' } satisfies Order);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await ended;
  }

  #hear(report: Report): void {
    if (report.type === 'progress') this.#onProgress(report.prepared);
    else if (report.type === 'failed') this.#fail(new Error(report.message));
    else if (report.type === this.#expected?.type) this.#expected.resolve(report);
  }

  #fail(error: Error): void {
    this.#expected?.reject(error);
  }
}
