/**
 * uWebSockets.js takes request heads of 4 KiB unless this variable says otherwise, and reads it when its binary is loaded.
 * What an operator has set stays.
 */
export function allowUwsHeads(bytesMax: number): void {
  process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= String(bytesMax);
}
