/** The same items in another order, which is the same in every run. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  const result = [...items];
  let state = 20_261;
  for (let left = result.length; left > 1; left -= 1) {
    // Park and Miller's generator: 31 bits are enough to draw places from.
    state = (state * 48_271) % 2_147_483_647;
    const other = state % left;
    [result[left - 1], result[other]] = [result[other] as Item, result[left - 1] as Item];
  }
  return result;
}
