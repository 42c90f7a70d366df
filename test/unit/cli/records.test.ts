import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { faultLines } from '../../../src/cli/fault-lines.ts';
import { jsonObject } from '../../../src/cli/json-request.ts';
import { limits } from '../../../src/core/limits.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { runCommand } from './run-command.ts';

const ID = '0192f3a1-6c1e-7d34-9a55-0c7f6a1b2c3d';
const NAMESPACE = 'urn:quasar:ns:case';
const URN = 'urn:quasar:schema:case@1.0.0';
const KEY = `b3:${'0'.repeat(64)}`;
const folder = temporaryFolder(t);

/** Nothing listens there: a command that asks a server ends with 5. */
const url = 'http://127.0.0.1:1';

t.test('what is wrong on the command line is told before a server is asked', async (t) => {
  const cases: [string[], RegExp][] = [
    [['meta'], /"quasar meta" needs one more word: "quasar meta get", "quasar meta put", "quasar meta patch"\./],
    [['schema', 'drop', URN], /"quasar schema" needs one more word: .*"quasar schema revoke"\./],
    [['label', ID, 'sealed'], /VERSION is missing; --moves lists where the label stood\./],
    [['label', ID, 'sealed', ID, '--moves'], /leave VERSION out/],
    [['label', ID, 'sealed', '--moves', '--expect', 'none'], /--expect moves a label/],
    [['label', ID, 'sealed', ID, '--expect', 'nobody'], /--expect must be a lower-case UUID\./],
    [['label', ID, '..', ID], /LABEL begins with a letter or a digit/],
    [['label', ID, '', '--moves'], /LABEL begins with a letter or a digit/],
    [['versions', 'x'], /DOCUMENT must be a lower-case UUID\./],
    [['get', ID, '--version', ID, '--label', 'sealed'], /--version stands alone/],
    [['stat', ID, '--version', ID, '--as-of', '2026-11-21T09:00:00Z'], /--version stands alone/],
    [['get', KEY, '--label', 'sealed'], /go with a document, not with a key/],
    [['stat', KEY, '--version', ID], /go with a document, not with a key/],
    [['get', ID, '--label', 'sealed', '--segments'], /--label and --as-of need the server/],
    [['meta', 'get', ID, 'case'], /NAMESPACE is no absolute IRI/],
    [['meta', 'put', ID, 'a.json', 'b.json'], /"a\.json" is no NAMESPACE=FILE; a bundle goes alone\./],
    [['meta', 'put', ID, '-', '--expect', 'none'], /--expect must be a lower-case UUID\./],
    [['meta', 'patch', ID, NAMESPACE, '-', '--base', 'x'], /--base must be a lower-case UUID\./],
    [['schema', 'show', 'urn:quasar:schema:case'], /URN has no "@" and version/],
    [['schema', 'add', 'case@1.0.0', NAMESPACE, '-'], /URN is no absolute IRI/],
  ];
  for (const [line, expected] of cases) {
    const { code, stderr } = await runCommand(line, { url });
    t.equal(code, 2, line.join(' '));
    t.match(stderr, expected, line.join(' '));
  }
});

t.test('a file that is no JSON, no text, not there or too large is told before a server is asked', async (t) => {
  const file = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const cases: [string, RegExp][] = [
    [file('broken.json', '{"number":'), /broken\.json is not JSON: /],
    [file('empty.json', ''), /empty\.json is not JSON: /],
    [file('bytes.json', Buffer.from([0x22, 0xff, 0x22])), /bytes\.json is not UTF-8 text\./],
    [
      file('large.json', `"${'a'.repeat(limits.jsonBodyMax)}"`),
      /large\.json is larger than 256\.0 KiB, the most a request may hold\./,
    ],
    [join(folder, 'none.json'), /none\.json: It does not exist\./],
    [folder, /It is a folder\./],
  ];
  for (const [path, expected] of cases) {
    const { code, stderr } = await runCommand(['meta', 'patch', ID, NAMESPACE, path], { url });
    t.equal(code, 2, path);
    t.match(stderr, expected);
    t.equal(stderr.trimEnd().split('\n').length, 1);
  }
  const stdin = Readable.from([Buffer.from('{"number":"1"}')]);
  const { code, stderr } = await runCommand(['meta', 'put', ID, '-'], { url, stdin });
  t.equal(code, 2);
  t.match(stderr, /Standard input is no bundle: it has no "bundle"\. For the data of one namespace write NAMESPACE=-\./);
});

t.test('a write whose answer is lost is sent once, and where to look is told', async (t) => {
  let requests = 0;
  const server = createServer((request) => {
    requests += 1;
    request.resume().on('end', () => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const path = join(folder, 'case.json');
  writeFileSync(path, '{}');
  const line = ['meta', 'put', ID, `${NAMESPACE}=${path}`];
  const lost = await runCommand(line, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  t.equal(lost.code, 5);
  t.match(lost.stderr, `Whether it was done, "quasar versions ${ID}" shows.`);
  t.equal(requests, 1);
  const refused = await runCommand(line, { url });
  t.equal(refused.code, 5);
  t.notMatch(refused.stderr, 'Whether it was done');
});

t.test('JSON is sent as it was written, members that are undefined left out', (t) => {
  t.equal(jsonObject({ a: '{"x":1,"x":1.0}', b: undefined, 'c"': '"d"' }), '{"a":{"x":1,"x":1.0},"c\\"":"d"}');
  t.end();
});

t.test('a fault is one line with its pointer, and cannot command the terminal', (t) => {
  t.strictSame(
    faultLines([
      { path: '/a/0', code: 'type', message: 'must be string' },
      { path: '', code: 'required', message: 'must have\n\u001b[2J' },
    ]),
    ['  /a/0: must be string (type)', '  (the whole): must have\\u{a}\\u{1b}[2J (required)'],
  );
  t.strictSame(faultLines(undefined), []);
  t.end();
});
