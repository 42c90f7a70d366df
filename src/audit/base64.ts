/** Standard Base64 with padding (RFC 4648 section 4), in the one form an encoder gives. Returns undefined for any other text. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
