/**
 * Crockford's base 32 in lower case, most significant digit first, padded with zero bits in front (as ULIDs are). One
 * spelling a value: neither capitals nor look-alikes (i, l, o) nor hyphens are read.
 */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';

/** As many digits as hold the bits: 26 for 16 bytes, 32 for 20. */
export function encodeBase32(bytes: Uint8Array): string {
  let value = BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (let left = Math.ceil((bytes.length * 8) / 5); left > 0; left--) {
    text = DIGITS.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return text;
}

/** Undefined unless the text is what `encodeBase32` makes of that many bytes. */
export function decodeBase32(text: string, size: number): Buffer | undefined {
  if (text.length !== Math.ceil((size * 8) / 5)) return undefined;
  let value = 0n;
  for (const digit of text) {
    const index = DIGITS.indexOf(digit);
    if (index < 0) return undefined;
    value = (value << 5n) | BigInt(index);
  }
  if (value >> BigInt(size * 8) !== 0n) return undefined;
  return Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex');
}
