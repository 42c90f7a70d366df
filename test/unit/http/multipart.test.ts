import t from 'tap';
import { contentRange, planMultipart } from '../../../src/http/multipart.ts';

t.test('the planned body is what RFC 9110 shows, and as long as planned', async (t) => {
  const content = 'abcdefghijklmnopqrstuvwxyz';
  const plan = planMultipart({
    ranges: [
      { start: 0, end: 2 },
      { start: 24, end: 26 },
    ],
    size: content.length,
    contentType: 'text/plain',
    boundary: 'B',
  });
  const body = plan.pieces.map((piece) => ('text' in piece ? piece.text : content.slice(piece.start, piece.end))).join('');
  t.equal(
    body,
    '--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/26\r\n\r\nab' +
      '\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 24-25/26\r\n\r\nyz' +
      '\r\n--B--\r\n',
  );
  t.equal(plan.size, body.length);
  t.equal(plan.contentType, 'multipart/byteranges; boundary=B');
});

t.test('Content-Range names the last byte, not the end', async (t) => {
  t.equal(contentRange({ start: 5, end: 10 }, 100), 'bytes 5-9/100');
});
