import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { ChunkedBody } from '../../../src/http/chunked-body.ts';

const BODY = '5;a=b;c;d="e f"\r\nhello\r\n00A\r\n0123456789\r\n1\r\n!\r\n0\r\nX-T: 1\r\n\r\n';
const TEXT = 'hello0123456789!';

t.test('a body with extensions and trailers is read the same way however it is cut', async (t) => {
  t.same(read([Buffer.from(`${BODY}rest`)]), { text: TEXT, ended: BODY.length, fault: '' });
  for (let cut = 1; cut < BODY.length; cut++) {
    const found = read([Buffer.from(BODY.slice(0, cut)), Buffer.from(BODY.slice(cut))]);
    t.match(found, { text: TEXT, fault: '' }, `cut at ${cut}`);
    t.not(found.ended, undefined);
  }
  t.match(read([...Buffer.from(BODY)].map((byte) => Buffer.of(byte))), { text: TEXT, ended: 1, fault: '' });
});

t.test('any data comes out as it went in', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 6 }), fc.nat(64), (chunks, step) => {
      const sent = chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
      const bytes = Buffer.concat([...sent, Buffer.from('0\r\n\r\n')]);
      const parts: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += step + 1) parts.push(bytes.subarray(at, at + step + 1));
      const found = read(parts);
      return found.ended !== undefined && found.text === Buffer.concat(chunks).toString('latin1');
    }),
  );
});

t.test('what is not exactly framed is refused', async (t) => {
  for (const text of [
    ';a\r\n',
    'g\r\n',
    '-1\r\n',
    '+1\r\n',
    '0x1\r\n',
    '1 \r\n',
    ' 1\r\n',
    '1\n',
    '1\rX',
    '1\r\nab',
    '1\r\na\nX',
    '1\r\na\rX',
    '1;\r\n',
    '1; a\r\n',
    '1;a=\r\n',
    '1;a="b\r\n',
    '1;a\0\r\n',
    'fffffffffffff\r\n',
    '0000000000000\r\n',
    '0\r\nX\r\n',
    '0\r\nX : 1\r\n',
    '0\r\n\n',
    `1;a=${'b'.repeat(limits.httpChunkExtensionsMax)}\r\n`,
    `0\r\nA: ${'b'.repeat(limits.httpHeadMax)}\r\n\r\n`,
    '1;a\r\nx\r\n'.repeat(limits.httpChunkExtensionsMax + 1),
  ])
    t.not(read([Buffer.from(text)]).fault, '', JSON.stringify(text.slice(0, 30)));
});

t.test('every byte of a body, changed to any other, is refused or read as node:http reads it', async (t) => {
  const server = createServer({ insecureHTTPParser: false }, (request, response) => {
    let text = '';
    request.setEncoding('latin1');
    request.on('data', (part: string) => {
      text += part;
    });
    request.on('error', () => undefined);
    request.on('end', () => response.writeHead(200, { connection: 'close' }).end(Buffer.from(text, 'latin1').toString('base64')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const bytes = Buffer.from(BODY);
  const others = [0, 9, 10, 13, 32, 34, 48, 49, 53, 58, 59, 61, 64, 65, 97, 103, 127, 128, 255];
  const whole = [...bytes.keys()]
    .flatMap((at) => others.map((other) => Buffer.concat([bytes.subarray(0, at), Buffer.of(other), bytes.subarray(at + 1)])))
    .filter((mutant) => read([mutant]).ended === mutant.length);
  t.ok(whole.length > 100, 'many are still bodies');
  const differing: string[] = [];
  for (let from = 0; from < whole.length; from += 50) {
    await Promise.all(
      whole.slice(from, from + 50).map(async (mutant) => {
        if ((await theirs(port, mutant)) !== read([mutant]).text) differing.push(mutant.toString('latin1'));
      }),
    );
  }
  t.same(differing, []);
});

function read(parts: readonly Buffer[]): { text: string; ended: number | undefined; fault: string } {
  const body = new ChunkedBody();
  let text = '';
  for (const part of parts) {
    for (let at = 0; at < part.length; at = body.to) {
      const step = body.step(part, at);
      if (step === 'data') text += part.toString('latin1', body.from, body.to);
      else if (step === 'end') return { text, ended: body.to, fault: '' };
      else if (step === 'fault') return { text, ended: undefined, fault: body.fault };
      else break;
    }
  }
  return { text, ended: undefined, fault: '' };
}

async function theirs(port: number, body: Buffer): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  socket.write(body);
  let text = '';
  socket.on('data', (part) => {
    text += part.toString('latin1');
  });
  await once(socket, 'close');
  const found = /^HTTP\/1\.1 200 .*?\r\n\r\n(?:[0-9a-f]+\r\n)?([A-Za-z0-9+/=]*)/s.exec(text)?.[1];
  return found === undefined ? undefined : Buffer.from(found, 'base64').toString('latin1');
}
