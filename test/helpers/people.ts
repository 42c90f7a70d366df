import { type Answered, ask, type Json } from './ask.ts';
import type { Product } from './product.ts';

/** Somebody with an API key, who asks a running server. */
export interface Person {
  readonly principalId: string;
  readonly keyId: string;
  readonly key: string;
  ask(method: string, path: string, request?: PersonsRequest): Promise<Answered>;
}

export interface PersonsRequest {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface NewPerson {
  readonly name: string;
  readonly roles?: readonly string[];
  /** Of the key; all that the maker may do when absent. */
  readonly scope?: readonly string[];
}

/** Whoever has the key in the server's data directory. */
export async function administratorOf(product: Product): Promise<Person> {
  const answer = await ask(product, 'GET', '/v1/principals/me');
  const { principalId } = answer.json() as { principalId: string };
  return { principalId, keyId: '', key: '', ask: (method, path, request) => ask(product, method, path, request) };
}

/** A principal that the maker makes, with a key that the maker makes. */
export async function makePerson(product: Product, maker: Person, { name, roles = [], scope }: NewPerson): Promise<Person> {
  const made = await maker.ask('POST', '/v1/principals', { body: { kind: 'user', name, roles } });
  const { principalId } = expectStatus(made, 201) as { principalId: string };
  const body = { name: `key of ${name}`, principalId, ...(scope === undefined ? {} : { scope }) };
  const { keyId, key } = expectStatus(await maker.ask('POST', '/v1/keys', { body }), 201) as { keyId: string; key: string };
  return personWith(product, { principalId, keyId, key });
}

export function personWith(product: Product, { principalId, keyId, key }: Pick<Person, 'principalId' | 'keyId' | 'key'>): Person {
  const authorization = `Bearer ${key}`;
  return {
    ...{ principalId, keyId, key },
    ask: (method, path, { body, headers } = {}) =>
      ask(product, method, path, { ...(body === undefined ? {} : { body }), headers: { authorization, ...headers } }),
  };
}

export function expectStatus(answer: Answered, status: number): Json {
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`);
  return answer.json();
}
