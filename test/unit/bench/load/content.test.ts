import t from 'tap';
import { DocumentSink } from '../../../../bench/load/requests/answer-sinks.ts';
import { Content } from '../../../../bench/load/requests/content.ts';

const content = new Content(42);
const head = { status: 200, headers: new Map<string, string>() };

function bodyOf(number: number, size: number, offset = 0): Buffer {
  const bytes = Buffer.alloc(size);
  content.fill(bytes, { number, start: content.startOf(number) }, offset, size);
  return bytes;
}

t.test('any part of a body is that part of the whole', async (t) => {
  const whole = bodyOf(7, 200_000);
  for (const [offset, size] of [
    [0, 1],
    [4090, 20],
    [4096, 16],
    [4100, 5],
    [8191, 8194],
    [199_999, 1],
    [0, 200_000],
  ] as const) {
    t.ok(bodyOf(7, size, offset).equals(whole.subarray(offset, offset + size)), `${size} bytes at ${offset}`);
  }
});

t.test('no page of a body is one of another body, or of another place', async (t) => {
  const seen = new Set<string>();
  for (const number of [0, 1, 2, 2 ** 40, 2 ** 48]) {
    for (let at = 0; at < 12 * 1024 * 1024; at += 256 * 1024) {
      const bytes = bodyOf(number, 256 * 1024, at);
      for (let page = 0; page < bytes.length; page += 4096) seen.add(bytes.toString('latin1', page, page + 16));
    }
  }
  t.equal(seen.size, 5 * 3072);
});

t.test('seeds make different bytes, the same seed the same', async (t) => {
  const [other, again] = [new Content(43), new Content(42)].map((each) => {
    const bytes = Buffer.alloc(100);
    each.fill(bytes, { number: 1, start: 0 }, 20, 100);
    return bytes;
  });
  const mine = Buffer.alloc(100);
  content.fill(mine, { number: 1, start: 0 }, 20, 100);
  t.ok(again?.equals(mine));
  t.notOk(other?.equals(mine));
});

t.test('a right body is found right in any pieces, and one wrong byte is found', async (t) => {
  const bytes = bodyOf(7, 50_000, 1234);
  const expected = { content, body: { number: 7, start: content.startOf(7) }, offset: 1234 };
  for (const step of [1, 999, 4096, 50_000]) {
    const sink = new DocumentSink(200, expected);
    sink.onHead(head);
    for (let at = 0; at < bytes.length; at += step) sink.onBody(bytes, at, Math.min(bytes.length, at + step));
    t.equal(sink.wrongAt, undefined);
    t.equal(sink.size, 50_000);
  }
  for (const place of [0, 4095, 30_000, 49_999]) {
    const wrong = Buffer.from(bytes);
    wrong[place] = (wrong[place] as number) ^ 1;
    const sink = new DocumentSink(200, expected);
    sink.onHead(head);
    sink.onBody(wrong, 0, wrong.length);
    t.not(sink.wrongAt, undefined, `byte ${place}`);
  }
});

t.test('the body of a refusal is not compared', async (t) => {
  const sink = new DocumentSink(200, { content, body: { number: 7, start: 0 }, offset: 0 });
  sink.onHead({ ...head, status: 503 });
  sink.onBody(Buffer.from('busy'), 0, 4);
  t.equal(sink.wrongAt, undefined);
});
