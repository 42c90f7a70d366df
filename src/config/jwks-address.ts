import { isLoopbackHost } from './listen-host.ts';

/**
 * Whether a JWK set may be fetched from that address: over https, or by http from this machine itself, since whoever changes
 * the answer on its way chooses our keys. Never with a password in it, which a log could tell.
 */
export function isJwksAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  // `URL` spells 127.1 as 127.0.0.1, and IPv6 in brackets.
  const safe = protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname.replace(/^\[|\]$/g, '')));
  return safe && username === '' && password === '';
}
