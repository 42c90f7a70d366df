/**
 * Takes items in order and works on at most `parallel` at once. Rejects with the first failure of `work` or of the
 * iteration, after all that was begun has ended; takes no new item then.
 */
export async function forEachParallel<T>(
  items: AsyncIterable<T>,
  parallel: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { readonly cause: unknown } | undefined;
  const begin = (item: T) => {
    const one = work(item)
      .catch((cause) => {
        failure ??= { cause };
      })
      .finally(() => running.delete(one));
    running.add(one);
  };
  try {
    for await (const item of items) {
      begin(item);
      if (running.size >= parallel) await Promise.race(running);
      if (failure !== undefined) break;
    }
  } finally {
    await Promise.all(running);
  }
  if (failure !== undefined) throw failure.cause;
}
