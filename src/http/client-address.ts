import type { BlockList } from 'node:net';
import { canonicalAddress, isWithin, parseNetworks } from '../config/ip-address.ts';
import { LeastRecentlyUsed } from '../core/least-recently-used.ts';
import type { Exchange } from './edge.ts';

export interface ClientAddressOptions {
  /** Addresses and networks of the proxies in front; checked by the configuration. */
  readonly trustedProxies: readonly string[];
  /** What those proxies write: one of the headers, or whichever is there. */
  readonly header: 'auto' | 'x-forwarded-for' | 'forwarded';
}

/**
 * From where a request comes. A header is believed only as far as trusted proxies wrote it: read from the right, the first
 * address that is not one of theirs is the client's, and nothing to the left of it, which the client may have made up, is looked at.
 */
export class ClientAddresses {
  readonly #header: ClientAddressOptions['header'];
  readonly #trusted: BlockList | undefined;
  /** Peers in canonical form: few, and asked for with every request. */
  readonly #peers = new LeastRecentlyUsed<string>(PEERS_MAX);

  constructor({ trustedProxies, header }: ClientAddressOptions) {
    this.#header = header;
    this.#trusted = trustedProxies.length === 0 ? undefined : parseNetworks(trustedProxies);
  }

  /** Undefined when the peer has none any more. */
  of(exchange: Pick<Exchange, 'remoteAddress' | 'header'>): string | undefined {
    const peer = this.#peerOf(exchange.remoteAddress);
    if (peer === undefined || this.#trusted === undefined || !isWithin(this.#trusted, peer)) return peer;
    const listed = this.#header === 'forwarded' ? undefined : exchange.header('x-forwarded-for');
    const described = this.#header === 'x-forwarded-for' ? undefined : exchange.header('forwarded');
    const found = [
      ...(listed === undefined ? [] : [clientOf(peer, entriesFromRight(listed), this.#trusted)]),
      ...(described === undefined ? [] : [clientOf(peer, forwardedFromRight(described), this.#trusted)]),
    ];
    // Two headers that differ: one of them is the client's own, and which of them cannot be known.
    return found.every((address) => address === found[0]) ? (found[0] ?? peer) : peer;
  }

  #peerOf(text: string): string | undefined {
    const known = this.#peers.get(text);
    if (known !== undefined) return known;
    const address = canonicalAddress(text);
    if (address !== undefined) this.#peers.set(text, address);
    return address;
  }
}

/** Hops from the right; behind one that says no address nothing is known. */
function clientOf(peer: string, hops: Iterable<string>, trusted: BlockList): string {
  let known = peer;
  for (const hop of hops) {
    const address = addressOfNode(hop);
    if (address === undefined) return known;
    known = address;
    if (!isWithin(trusted, address)) return known;
  }
  return known;
}

function* entriesFromRight(text: string): Generator<string> {
  for (let end = text.length; end >= 0; ) {
    const comma = end === 0 ? -1 : text.lastIndexOf(',', end - 1);
    const entry = text.slice(comma + 1, end).trim();
    if (entry !== '') yield entry;
    end = comma;
  }
}

/** RFC 7239: what each element says in `for`; "" when it says nothing. */
function* forwardedFromRight(text: string): Generator<string> {
  for (let end = text.length; end >= 0; ) {
    const comma = commaBefore(text, end);
    const element = text.slice(comma + 1, end).trim();
    if (element !== '') yield forOf(element);
    end = comma;
  }
}

/** Pair by pair, so that what is quoted (a Host, say, which is the client's) says nothing. */
function forOf(element: string): string {
  let found = '';
  let at = 0;
  while (at < element.length) {
    PAIR.lastIndex = at;
    const pair = PAIR.exec(element);
    if (pair === null) return '';
    if (pair[1]?.toLowerCase() === 'for') {
      if (found !== '') return '';
      found = pair[2] ?? pair[3] ?? '';
    }
    at = PAIR.lastIndex;
  }
  return found;
}

/** Outside quotes, which are paired from the right: an odd one was written by the client, before what proxies wrote. */
function commaBefore(text: string, end: number): number {
  for (let at = end - 1; at >= 0; at--) {
    if (text[at] === ',') return at;
    if (!isQuote(text, at)) continue;
    let opening = at - 1;
    while (opening >= 0 && !isQuote(text, opening)) opening -= 1;
    if (opening >= 0) at = opening;
    else return text.lastIndexOf(',', at);
  }
  return -1;
}

/** A quotation mark that no backslash makes part of a text. */
function isQuote(text: string, at: number): boolean {
  if (text[at] !== '"') return false;
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 0;
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`; nothing for `unknown` and `_hidden`. */
function addressOfNode(text: string): string | undefined {
  const inside = NODE.exec(text);
  return canonicalAddress(inside?.[1] ?? inside?.[2] ?? text);
}

const PAIR = /\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;,\s"]*))\s*(?:;|$)/y;
const NODE = /^(?:\[([0-9A-Fa-f:.]+)\]|(\d+\.\d+\.\d+\.\d+))(?::[\w.-]+)?$/;
const PEERS_MAX = 10_000;
