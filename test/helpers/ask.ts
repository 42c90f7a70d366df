import type { Product } from './product.ts';

export type Json = Record<string, unknown>;

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  json(): Json;
}

/** One request and its whole answer. A body that is no text goes as JSON; `headers` go last. */
export async function ask(
  product: Product,
  method: string,
  path: string,
  { body, headers = {} }: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answered> {
  const plain = body === undefined || typeof body === 'string';
  const init = {
    method,
    headers: { ...(plain ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: plain ? body : JSON.stringify(body) }),
  };
  const response = await product.fetch(path, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Json };
}
