import t from 'tap';
import { limits } from '../../../src/core/limits.ts';
import { parseIri, readIri } from '../../../src/metadata/iri.ts';
import { twinKey } from '../../../src/metadata/iri-twin.ts';
import { TextFault } from '../../../src/metadata/text-fault.ts';

t.test('an IRI is stored in one form', async (t) => {
  for (const [text, iri] of [
    ['urn:quasar:ns:core', 'urn:quasar:ns:core'],
    ['URN:Quasar:ns:Core', 'urn:quasar:ns:Core'],
    ['urn:graviton:ns:core', 'urn:quasar:ns:core'],
    ['urn:graviton:quasar:ns:core', 'urn:quasar:ns:core'],
    ['URN:GRAVITON:quasar:ns:core', 'urn:quasar:ns:core'],
    ['HTTPS://Court.Example/Ns/A?x=1#', 'https://court.example/Ns/A?x=1#'],
    ['https://court.example/a%2fb', 'https://court.example/a%2Fb'],
    ['https://court.example/дело/Ärger', 'https://court.example/дело/Ärger'],
    ['tag:court.example,2026:x', 'tag:court.example,2026:x'],
  ] as const) {
    t.equal(parseIri(text, 'namespace'), iri, text);
    t.equal(readIri(iri), iri, 'the stored form stays what it is');
  }
});

t.test('what is no IRI, or looks like another one, is refused', async (t) => {
  for (const [text, reason] of [
    ['', /scheme/],
    ['core', /scheme/],
    ['/ns/core', /scheme/],
    ['urn:', /scheme/],
    ['urn:x', /URN/],
    ['urn:quasar:', /URN/],
    ['urn:graviton:quasar:', /nothing follows/],
    ['urn:quasar:ns:a b', /character/],
    ['urn:quasar:ns:a\n', /character/],
    ['urn:quasar:ns:a\0', /character/],
    ['urn:quasar:ns:a\u00a0b', /character/],
    ['urn:quasar:ns:a\u200bb', /character/],
    ['urn:quasar:ns:a\u202eb', /character/],
    ['urn:quasar:ns:a\ufe0f', /character/],
    ['urn:quasar:ns:\ue000', /character/],
    ['urn:quasar:ns:\ud800', /character/],
    ['urn:quasar:ns:<a>', /character/],
    ['urn:quasar:ns:"a"', /character/],
    ['urn:quasar:ns:a\\b', /character/],
    ['urn:quasar:ns:a\u0308', /NFC/],
    ['urn:quasar:ns:\uff41', /compatibility/],
    ['urn:quasar:ns:\ufb01', /compatibility/],
    ['urn:quasar:ns:c\u043ere', /scripts/],
    ['urn:quasar:ns:\u0441ore', /scripts/],
    ['urn:quasar:ns:c\u03bfre', /scripts/],
    ['urn:quas\u0430r:ns:core', /scripts/],
    ['urn:\u043a\u043e\u0440:ns:core', /URN/],
    ['urn:quasar:ns:%zz', /hexadecimal/],
    ['urn:quasar:ns:%', /hexadecimal/],
    ['urn:quasar:ns:c%6fre', /needs no encoding/],
    ['urn:quasar:ns:%00', /control/],
    ['https://a/#b#c', /two/],
    ['https:///path', /host/],
    ['https://me@court.example/', /user/],
    ['https://court.example/a/../b', /dot segment/],
    ['https://court.example/a/.', /dot segment/],
    [`urn:quasar:${'x'.repeat(limits.iriMax)}`, /longer/],
  ] as const) {
    const fault = readIri(text);
    t.ok(fault instanceof TextFault, text);
    if (fault instanceof TextFault) t.match(fault.reason, reason, text);
    t.throws(() => parseIri(text, 'namespace'), { code: 'bad_parameter', details: { parameter: 'namespace' } });
  }
});

t.test('twins have the same key, and others have not', async (t) => {
  const key = (text: string) => twinKey(parseIri(text, 'namespace'));
  t.equal(key('urn:quasar:ns:Core'), key('urn:quasar:ns:core'));
  t.equal(key('urn:quasar:ns:\u0441\u043e\u0440'), key('urn:quasar:ns:cop'), 'Cyrillic letters alone');
  t.equal(key('urn:quasar:ns:\u03bf\u03c1'), key('urn:quasar:ns:OP'), 'Greek letters alone');
  t.equal(key('urn:quasar:ns:\u0420\u0410'), key('urn:quasar:ns:PA'));
  t.not(key('urn:quasar:ns:core'), key('urn:quasar:ns:cove'));
  t.not(key('urn:quasar:ns:\u0434\u0435\u043b\u043e'), key('urn:quasar:ns:delo'));
});
