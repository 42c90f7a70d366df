import { closeSync, openSync, readdirSync, readFileSync, readSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface FoundBytes {
  readonly path: string;
  readonly offset: number;
}

/** Where in the segments of a data folder these bytes lie; each time they do. */
export function findStored(data: string, bytes: Uint8Array): FoundBytes[] {
  const folder = join(data, 'node', 'seg');
  const found: FoundBytes[] = [];
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const content = readFileSync(path);
    for (let offset = content.indexOf(bytes); offset >= 0; offset = content.indexOf(bytes, offset + 1)) {
      found.push({ path, offset });
    }
  }
  return found;
}

/** Turns one bit over where the bytes are stored, as a tired disk does. They must be there once. */
export function rot(data: string, bytes: Uint8Array): void {
  const { path, offset } = onlyPlace(data, bytes);
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  const at = offset + (bytes.byteLength >> 1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] as number) ^ 0x10;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

/** Cuts the segment off in the middle of where the bytes are stored. */
export function cutWithin(data: string, bytes: Uint8Array): void {
  const { path, offset } = onlyPlace(data, bytes);
  truncateSync(path, offset + (bytes.byteLength >> 1));
}

function onlyPlace(data: string, bytes: Uint8Array): FoundBytes {
  const [place, ...others] = findStored(data, bytes);
  if (place === undefined || others.length > 0) throw new Error(`the bytes are stored ${others.length + (place ? 1 : 0)} times`);
  return place;
}
