import type { Target } from '../http/http-connection.ts';

export interface ParsedTarget {
  readonly target: Target;
  /** For Host. */
  readonly host: string;
  /** Path in front of all others, without a slash at its end. */
  readonly base: string;
}

/** Takes what has been checked before to be an http or https URL. */
export function parseTarget(text: string): ParsedTarget {
  const url = new URL(text);
  const tls = url.protocol === 'https:';
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return { target: { host: name, port, tls }, host: url.host, base: url.pathname.replace(/\/+$/, '') };
}
