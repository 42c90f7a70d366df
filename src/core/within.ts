/** What `work` comes to, or `otherwise` when that takes longer than `ms`; it then goes on, and how it ends is nobody's matter. */
export async function within<T, F>(ms: number, work: Promise<T>, otherwise: F): Promise<T | F> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<F>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
