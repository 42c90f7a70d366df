import type { ClientRequest } from './http-client.ts';

/** A request with JSON as it was written: what a strict reader refuses, such as a name twice, stays for it to see. */
export function jsonRequest(method: 'POST' | 'PUT' | 'DELETE', path: string, json: string): ClientRequest {
  const bytes = Buffer.from(json);
  return { method, path, headers: { 'content-type': 'application/json' }, body: { size: bytes.length, chunks: [bytes] } };
}

/** JSON text of an object with these members in this order, whose values are JSON texts; without those that are undefined. */
export function jsonObject(members: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(members).filter(([, value]) => value !== undefined);
  return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

/** JSON text of a string, undefined for undefined. */
export function jsonString(text: string | undefined): string | undefined {
  return text === undefined ? undefined : JSON.stringify(text);
}
