import fc from 'fast-check';
import t from 'tap';
import { contentDisposition, filenameOfDisposition, harmlessFilename } from '../../../src/http/content-disposition.ts';
import { isWritableHeaderValue } from '../../../src/http/request-guard.ts';

t.test('plain names stand as they are, others in both forms', async (t) => {
  t.equal(contentDisposition('inline', undefined), 'inline');
  t.equal(contentDisposition('attachment', 'scan 1.pdf'), 'attachment; filename="scan 1.pdf"');
  t.equal(contentDisposition('attachment', 'Ünï.pdf'), `attachment; filename="_n_.pdf"; filename*=UTF-8''%C3%9Cn%C3%AF.pdf`);
  t.equal(contentDisposition('attachment', '100%.pdf'), `attachment; filename="100_.pdf"; filename*=UTF-8''100%25.pdf`);
  t.equal(contentDisposition('attachment', "it's (1)*.pdf"), `attachment; filename="it's (1)_.pdf"`);
});

t.test('names that would harm come out harmless', async (t) => {
  const table: [string, string][] = [
    ['../../x', 'x'],
    ['C:\\dir\\x.pdf', 'x.pdf'],
    ['/etc/passwd', 'passwd'],
    ['a\r\nSet-Cookie: b', 'aSet-Cookie_ b'],
    ['a\0b', 'ab'],
    ['say "hi".pdf', 'say _hi_.pdf'],
    ['fdp.\u202egnp', 'fdp.gnp'],
    ['CON', '_CON'],
    ['con.txt', '_con.txt'],
    ['LPT1', '_LPT1'],
    ['console.txt', 'console.txt'],
    ['..', 'download'],
    ['', 'download'],
    ['/', 'download'],
    ['.hidden', 'hidden'],
    ['trailing. . ', 'trailing'],
    ['cafe\u0301', 'caf\u00e9'],
    ['\ud800x', '_x'],
  ];
  for (const [name, expected] of table) t.equal(harmlessFilename(name), expected, JSON.stringify(name));
});

t.test('a long name keeps its extension within 255 bytes', async (t) => {
  const name = harmlessFilename(`${'ä'.repeat(10_000)}.pdf`);
  t.ok(Buffer.byteLength(name) <= 255);
  t.ok(name.endsWith('ä.pdf'));
});

t.test('whatever the name, one header line comes out', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) =>
      isWritableHeaderValue(contentDisposition('attachment', name)),
    ),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }), (name) => {
      const harmless = harmlessFilename(name);
      return (
        harmless !== '' &&
        !/[/\\\p{Cc}]/u.test(harmless) &&
        filenameOfDisposition(contentDisposition('attachment', name)) === harmless
      );
    }),
  );
});

t.test('names are read from both forms', async (t) => {
  const table: [string, string | undefined][] = [
    ['attachment', undefined],
    ['attachment; filename=a.pdf', 'a.pdf'],
    ['attachment; filename="a b.pdf"', 'a b.pdf'],
    ['attachment; filename="a\\"b.pdf"', 'a"b.pdf'],
    ["attachment; filename=plain.pdf; filename*=UTF-8''%C3%A4.pdf", 'ä.pdf'],
    ["attachment; filename*=utf-8'de'%C3%A4.pdf; filename=plain.pdf", 'ä.pdf'],
    ["attachment; filename=plain.pdf; filename*=UTF-8''%ff", 'plain.pdf'],
    ['attachment; FileName = x', 'x'],
    ['attachment; filename=', undefined],
  ];
  for (const [header, expected] of table) t.equal(filenameOfDisposition(header), expected, header);
});
