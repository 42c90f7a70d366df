import t from 'tap';
import { type AnswerHead, AnswerParser } from '../../../../bench/load/http/answer-parser.ts';
import { ConnectionFault } from '../../../../bench/load/http/connection-fault.ts';

interface Told {
  head?: AnswerHead;
  body: string;
}

/** Takes the text in these pieces; `body` is all that was told of it. */
function read(pieces: readonly string[], { hasBody = true, ends = false } = {}): Told & { parser: AnswerParser } {
  const parser = new AnswerParser();
  const told: Told = { body: '' };
  parser.begin(
    {
      onHead: (head) => {
        told.head = head;
      },
      onBody: (bytes, start, end) => {
        told.body += bytes.toString('latin1', start, end);
      },
    },
    hasBody,
  );
  for (const piece of pieces) parser.take(Buffer.from(piece, 'latin1'), piece.length);
  if (ends) parser.end();
  return { ...told, parser };
}

/** The kind of the fault it throws. */
function faultOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (fault) {
    return fault instanceof ConnectionFault ? fault.kind : String(fault);
  }
}

const answers = {
  length: 'HTTP/1.1 206 Partial Content\r\nContent-Length: 11\r\nETag: "a"\r\n\r\nhello world',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n',
  interim: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 11\r\n\r\nhello world',
};

t.test('answers are read in any two pieces', async (t) => {
  for (const [name, text] of Object.entries(answers)) {
    for (let cut = 0; cut <= text.length; cut += 1) {
      const { body, parser } = read([text.slice(0, cut), text.slice(cut)].filter((piece) => piece !== ''));
      if (body !== 'hello world' || parser.isReading || !parser.keepsAlive) t.fail(`${name} cut at ${cut}: ${body}`);
    }
    t.equal(read([...text]).body, 'hello world', `${name}, byte by byte`);
  }
});

t.test('status and headers are told, names in lower case', async (t) => {
  const { head } = read([answers.length]);
  t.equal(head?.status, 206);
  t.equal(head?.headers.get('etag'), '"a"');
});

t.test('answers without a body end with their head', async (t) => {
  t.notOk(read(['HTTP/1.1 204 No Content\r\n\r\n']).parser.isReading);
  t.notOk(read(['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']).parser.isReading);
  t.notOk(read(['HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n'], { hasBody: false }).parser.isReading);
});

t.test('an answer may last to the end of the connection', async (t) => {
  const { body, parser } = read(['HTTP/1.0 200 OK\r\n\r\nhel', 'lo'], { ends: true });
  t.equal(body, 'hello');
  t.notOk(parser.isReading);
  t.notOk(parser.keepsAlive);
  t.notOk(read(['HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n']).parser.keepsAlive);
});

t.test('a connection that ends within an answer makes it short; before it, it is a reset', async (t) => {
  t.equal(
    faultOf(() => read([answers.length.slice(0, -1)], { ends: true })),
    'short body',
  );
  t.equal(
    faultOf(() => read([answers.chunked.slice(0, -2)], { ends: true })),
    'short body',
  );
  t.equal(
    faultOf(() => read(['HTTP/1.1 2'], { ends: true })),
    'short body',
  );
  t.equal(
    faultOf(() => read([], { ends: true })),
    'reset',
  );
});

t.test('what is no answer is refused', async (t) => {
  for (const text of [
    'SSH-2.0-OpenSSH\r\n\r\n',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab',
    'a'.repeat(70_000),
  ])
    t.equal(
      faultOf(() => read([text])),
      'not HTTP',
      text.slice(0, 60),
    );
});
