/** All keywords a schema may have. What is not here is refused: a keyword that one validator skips and another obeys checks nothing. */

/** Whose value is a schema, a list or a map of them; where such a schema applies. */
export interface SubschemaKeyword {
  readonly shape: 'one' | 'list' | 'map';
  /** here: to the same value; inside: to its parts, one level deeper; apart: nowhere unless referred to. */
  readonly applies: 'here' | 'inside' | 'apart';
}

export const subschemaKeywords: ReadonlyMap<string, SubschemaKeyword> = new Map<string, SubschemaKeyword>([
  ...of(['allOf', 'anyOf', 'oneOf'], { shape: 'list', applies: 'here' }),
  ...of(['not', 'if', 'then', 'else'], { shape: 'one', applies: 'here' }),
  ...of(['dependentSchemas'], { shape: 'map', applies: 'here' }),
  ...of(['properties', 'patternProperties'], { shape: 'map', applies: 'inside' }),
  ...of(['prefixItems'], { shape: 'list', applies: 'inside' }),
  ...of(['additionalProperties', 'propertyNames', 'items', 'contains', 'unevaluatedItems', 'unevaluatedProperties'], {
    ...{ shape: 'one', applies: 'inside' },
  }),
  ...of(['contentSchema'], { shape: 'one', applies: 'apart' }),
  ...of(['$defs', 'definitions'], { shape: 'map', applies: 'apart' }),
]);

export const plainKeywords: ReadonlySet<string> = new Set([
  ...['$ref', '$anchor', '$comment', 'title', 'description', 'default', 'deprecated', 'readOnly', 'writeOnly', 'examples'],
  ...['type', 'enum', 'const', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum'],
  ...['maxLength', 'minLength', 'pattern', 'format', 'contentEncoding', 'contentMediaType'],
  ...['maxItems', 'minItems', 'uniqueItems', 'maxContains', 'minContains'],
  ...['maxProperties', 'minProperties', 'required', 'dependentRequired'],
]);

/** Only where the schema begins: inside they would change what `#` means. */
export const rootKeywords: ReadonlySet<string> = new Set(['$schema', '$id']);

/** Every one of them is checked. */
export const formats = [
  ...(['date', 'time', 'date-time', 'duration', 'uri', 'uri-reference', 'uri-template', 'email', 'hostname'] as const),
  ...(['ipv4', 'ipv6', 'uuid', 'regex', 'json-pointer', 'relative-json-pointer'] as const),
] as const;

function of(names: readonly string[], keyword: SubschemaKeyword): [string, SubschemaKeyword][] {
  return names.map((name) => [name, keyword]);
}
