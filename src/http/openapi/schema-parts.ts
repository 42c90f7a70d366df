const text = { type: 'string' };

export const orNull = (schema: { type: string }) => ({ ...schema, type: [schema.type, 'null'] });

export function ref(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

export function page(of: string) {
  return object({ items: { type: 'array', items: ref(of) }, nextCursor: orNull(text) });
}

/** An answer: every field is always there. */
export function object(
  properties: Readonly<Record<string, object>>,
  example?: object,
  optional: Readonly<Record<string, object>> = {},
) {
  return {
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
    ...(example === undefined ? {} : { examples: [example] }),
  };
}
