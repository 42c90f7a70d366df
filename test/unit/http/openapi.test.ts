import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import t from 'tap';
import { openapiDocument, openapiText, operations } from '../../../src/http/openapi/openapi.ts';
import { parameters as parts } from '../../../src/http/openapi/parts.ts';
import { routes } from '../../../src/http/routes.ts';

const document = openapiDocument() as {
  readonly paths: Record<
    string,
    Record<string, { security: object[]; responses: Record<string, unknown>; parameters?: { $ref: string }[] }>
  >;
};

t.test('every route is in the document', async (t) => {
  for (const { method, pattern } of routes) {
    t.ok(document.paths[pattern]?.[method.toLowerCase()], `${method} ${pattern}`);
  }
});

t.test('every operation of the document has a route; HEAD may be that of GET', async (t) => {
  const known = new Set(routes.map(({ method, pattern }) => `${method} ${pattern}`));
  for (const { method, path } of operations) {
    const name = `${method.toUpperCase()} ${path}`;
    t.ok(known.has(name) || (method === 'head' && known.has(`GET ${path}`)), name);
  }
});

t.test('operations are named once, and name their path parameters', async (t) => {
  t.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  t.equal(new Set(operations.map(({ method, path }) => `${method} ${path}`)).size, operations.length);
  for (const { operationId, path, parameters = [] } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    t.same(
      parameters.filter((name) => parts[name].in === 'path'),
      named,
      operationId,
    );
  }
});

t.test('every reference leads somewhere, and every part is used', async (t) => {
  const text = openapiText();
  const refs = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] as string));
  for (const ref of refs) {
    const target = ref
      .slice(2)
      .split('/')
      .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document);
    t.ok(target, ref);
  }
  const { components } = document as unknown as { components: Record<string, Record<string, unknown>> };
  for (const [kind, parts] of Object.entries(components)) {
    if (kind === 'securitySchemes') continue;
    for (const name of Object.keys(parts)) t.ok(refs.has(`#/components/${kind}/${name}`), `${kind}/${name}`);
  }
});

t.test('every operation answers something good and something bad', async (t) => {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, { responses }] of Object.entries(methods)) {
      const statuses = Object.keys(responses).map(Number);
      t.ok(statuses.some((status) => status < 300) && statuses.includes(500), `${method} ${path}`);
    }
  }
});

t.test('only what is open to everybody takes no credentials', async (t) => {
  const open = operations.filter(({ method, path }) => document.paths[path]?.[method]?.security.length === 0);
  t.strictSame(open.map(({ path }) => path).sort(), ['/v1/health', '/v1/openapi.json', '/v1/ready']);
  t.ok(document.paths['/v1/documents']?.get?.responses['401']);
});

t.test('examples are what their schemas say', async (t) => {
  const { components } = document as unknown as { components: { schemas: Record<string, { examples?: readonly unknown[] }> } };
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv, ['uuid', 'date-time', 'uri-reference']);
  ajv.addFormat('int64', true);
  ajv.addSchema({ $id: 'http://contract.invalid/openapi', components });
  for (const [name, { examples = [] }] of Object.entries(components.schemas)) {
    const fits = ajv.compile({ $ref: `http://contract.invalid/openapi#/components/schemas/${name}` });
    for (const example of examples) t.strictSame(fits(example) ? [] : fits.errors, [], name);
  }
});
