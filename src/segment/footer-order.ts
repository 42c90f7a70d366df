import { FOOTER_ENTRY } from './format.ts';

const ID_SIZE = FOOTER_ENTRY.fields.id.size;

/**
 * Positions of the entries in order of id, then of appending. The first six bytes of the id and the position in one
 * u64 sort natively (65,536 in 10 to 20 ms, a comparator takes many times that); equal prefixes are rare.
 */
export function footerOrder(entries: Buffer, count: number): Uint32Array {
  const keys = new BigUint64Array(count);
  const words = new Uint32Array(keys.buffer);
  for (let index = 0; index < count; index++) {
    const at = index * FOOTER_ENTRY.size;
    words[2 * index + 1] = entries.readUInt32BE(at);
    words[2 * index] = entries.readUInt16BE(at + 4) * 65_536 + index;
  }
  keys.sort();
  const order = new Uint32Array(count);
  for (let index = 0; index < count; index++) order[index] = (words[2 * index] as number) & 0xffff;
  sortEqualPrefixes(order, entries);
  return order;
}

function sortEqualPrefixes(order: Uint32Array, entries: Buffer): void {
  const prefix = (index: number) => entries.readUIntBE((order[index] as number) * FOOTER_ENTRY.size, 6);
  for (let first = 0, end = 1; first < order.length; first = end, end = first + 1) {
    while (end < order.length && prefix(end) === prefix(first)) end += 1;
    if (end - first > 1) order.subarray(first, end).sort((left, right) => compareIds(entries, left, right) || left - right);
  }
}

function compareIds(entries: Buffer, left: number, right: number): number {
  const leftAt = left * FOOTER_ENTRY.size;
  const rightAt = right * FOOTER_ENTRY.size;
  return entries.compare(entries, rightAt, rightAt + ID_SIZE, leftAt, leftAt + ID_SIZE);
}
