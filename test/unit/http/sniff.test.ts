import t from 'tap';
import { mediaTypeOf, sniffMediaType } from '../../../src/http/sniff.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const entry = (name: string, content = '') => `PK\x03\x04${'\0'.repeat(26)}${name}${content}`;
const OFFICE = 'application/vnd.openxmlformats-officedocument';

t.test('formats are known by their first bytes', async (t) => {
  const table: [string, string][] = [
    ['%PDF-1.7\n', 'application/pdf'],
    ['II*\0\x08', 'image/tiff'],
    ['MM\0*\0', 'image/tiff'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['\x89PNG\r\n\x1a\n', 'image/png'],
    ['GIF89a', 'image/gif'],
    ['\0\0\0\x0cjP  \r\n\x87\n', 'image/jp2'],
    ['RIFF\x01\x02\x03\x04WEBPVP8 ', 'image/webp'],
    ['\x1f\x8b\x08\0', 'application/gzip'],
    [entry('a.txt'), 'application/zip'],
    [entry('[Content_Types].xml') + entry('word/document.xml'), `${OFFICE}.wordprocessingml.document`],
    [entry('_rels/.rels') + entry('xl/workbook.xml'), `${OFFICE}.spreadsheetml.sheet`],
    [entry('[Content_Types].xml') + entry('ppt/presentation.xml'), `${OFFICE}.presentationml.presentation`],
    [entry('mimetype', 'application/vnd.oasis.opendocument.text') + entry('x'), 'application/vnd.oasis.opendocument.text'],
    [entry('mimetype', 'text/html') + entry('x'), 'application/zip'],
    ['<?xml version="1.0"?><a/>', 'application/xml'],
    ['plain words\r\n\t', 'text/plain; charset=utf-8'],
    ['a\0b', 'application/octet-stream'],
    ['\xff\xfe\x01', 'application/octet-stream'],
    ['', 'application/octet-stream'],
  ];
  for (const [text, type] of table) t.equal(sniffMediaType(bytes(text)), type, JSON.stringify(text.slice(0, 24)));
});

t.test('a signature cut short is no signature', async (t) => {
  for (const text of ['%PDF', '\x89PNG\r\n\x1a', '\xff\xd8', 'RIFF1234WEB'])
    t.notMatch(sniffMediaType(bytes(text)), /^image|pdf/);
});

t.test('HTML and SVG never come out as something a browser runs', async (t) => {
  for (const text of [
    '<!DOCTYPE html><script>',
    '<html>',
    '<svg xmlns="http://www.w3.org/2000/svg">',
    '<script>alert(1)</script>',
  ]) {
    t.equal(sniffMediaType(bytes(text)), 'text/plain; charset=utf-8', text);
  }
  t.equal(sniffMediaType(bytes('<?xml version="1.0"?><svg/>')), 'application/xml');
});

t.test('text may end inside a character', async (t) => {
  t.equal(sniffMediaType(Buffer.from('aä').subarray(0, 2)), 'text/plain; charset=utf-8');
  t.equal(sniffMediaType(Buffer.concat([Buffer.from([0xe4]), Buffer.from('bc')])), 'application/octet-stream');
});

t.test('sniffing reads shared memory', async (t) => {
  const shared = new Uint8Array(new SharedArrayBuffer(5));
  shared.set(Buffer.from('words'));
  t.equal(sniffMediaType(shared), 'text/plain; charset=utf-8');
});

t.test('what the client declares stands, unless it says nothing', async (t) => {
  const pdf = bytes('%PDF-1.7');
  for (const declared of [
    undefined,
    '',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    'Application/Octet-Stream; x=y',
  ]) {
    t.equal(mediaTypeOf(declared, pdf), 'application/pdf', String(declared));
  }
  t.equal(mediaTypeOf(' image/tiff ', pdf), 'image/tiff');
  t.equal(mediaTypeOf('text/plain; charset="utf-8"', pdf), 'text/plain; charset="utf-8"');
  for (const declared of ['x', 'text/', 'a/b; c', 'a/b\r\nX: y', `a/${'b'.repeat(300)}`, 'text/plain; a="ä"']) {
    t.throws(() => mediaTypeOf(declared, pdf), { code: 'unsupported_media_type' }, declared.slice(0, 20));
  }
});
