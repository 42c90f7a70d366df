/**
 * What was opened is closed in reverse order, each under its own time limit, also when start-up fails half-way.
 * Push a closer right after each acquisition.
 */
export class Closer {
  readonly #steps: { name: string; close: () => Promise<void> | void; timeoutMs: number }[] = [];
  #closing: Promise<CloseFault[]> | undefined;

  push(name: string, close: () => Promise<void> | void, timeoutMs = 10_000): void {
    this.#steps.push({ name, close, timeoutMs });
  }

  /** Never rejects: one step's fault does not keep the others from closing. Idempotent. */
  close(): Promise<CloseFault[]> {
    this.#closing ??= this.#run();
    return this.#closing;
  }

  async #run(): Promise<CloseFault[]> {
    const faults: CloseFault[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const cause = await settle(step.close, step.timeoutMs);
      if (cause !== undefined) faults.push({ name: step.name, cause });
    }
    return faults;
  }
}

export interface CloseFault {
  readonly name: string;
  readonly cause: unknown;
}

async function settle(close: () => Promise<void> | void, timeoutMs: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Error>((resolve) => {
    timer = setTimeout(() => resolve(new Error(`did not close within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([Promise.resolve(close()).then(() => undefined), timeout]);
  } catch (cause) {
    return cause;
  } finally {
    clearTimeout(timer);
  }
}
