import fc from 'fast-check';
import t from 'tap';
import {
  formatNoteSigner,
  formatNoteVerifier,
  type NoteVerifier,
  noteSigner,
  parseNoteSigner,
  parseNoteVerifier,
  renameSigner,
} from '../../../src/audit/note-key.ts';
import { parseSignedNote, type SignedNote, signNote, verifyNote } from '../../../src/audit/signed-note.ts';
import { limits } from '../../../src/core/limits.ts';
import { Fault } from '../../../src/segment/fault.ts';

/** Throws what a test did not expect. */
function sound<T>(value: T | Fault): T {
  if (value instanceof Fault) throw new Error(value.meaning);
  return value;
}

/** From the documentation of the Go module golang.org/x/mod/sumdb/note. */
const goVerifier = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const goSigner = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const goText = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const goNote = `${goText}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

/** From the C2SP specification. */
const specVerifier = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const specNote =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';

const alice = noteSigner('example.org/alice', Buffer.alloc(32, 1));
const bob = noteSigner('example.org/bob', Buffer.alloc(32, 2));
const verifyText = (note: string, trusted: readonly NoteVerifier[]) => {
  const parsed = parseSignedNote(note);
  return parsed instanceof Fault ? parsed : verifyNote(parsed, trusted);
};

t.test('keys and signatures are those of the Go reference', async (t) => {
  const signer = sound(parseNoteSigner(goSigner));
  t.equal(formatNoteVerifier(signer.verifier), goVerifier);
  t.equal(formatNoteSigner(signer), goSigner);
  t.equal(formatNoteVerifier(sound(parseNoteVerifier(goVerifier))), goVerifier);
  t.equal(signNote(goText, [signer]), goNote);
  t.match(verifyText(goNote, [sound(parseNoteVerifier(goVerifier))]), {
    text: goText,
    signers: [{ name: 'PeterNeumann' }],
    unknown: [],
  });
});

t.test('the note of the specification is verified', async (t) => {
  t.match(verifyText(specNote, [sound(parseNoteVerifier(specVerifier))]), { text: 'This is an example message.\n' });
});

t.test('signatures by unknown keys are kept and do not count', async (t) => {
  const note = signNote('both\n', [alice, bob]);
  t.match(verifyText(note, [bob.verifier]), { signers: [{ name: bob.name }], unknown: [{ name: alice.name, id: alice.id }] });
  t.match(verifyText(note, [alice.verifier, bob.verifier]), { signers: [{ name: alice.name }, { name: bob.name }], unknown: [] });
  t.match(verifyText(note, []), { meaning: 'no trusted key signed the note' });
  const longer = note.replace(/$/, `— example.org/post-quantum ${Buffer.alloc(5000).toString('base64')}\n`);
  t.match(verifyText(longer, [alice.verifier]), { signers: [{ name: alice.name }] });
});

t.test('a key of the same name or the same id, but not both, is unknown', async (t) => {
  const note = signNote('text\n', [alice]);
  t.type(verifyText(note, [renameSigner(alice, 'example.org/other').verifier]), Fault);
  t.type(verifyText(note, [noteSigner(alice.name, Buffer.alloc(32, 9)).verifier]), Fault);
  t.type(verifyText(note, [{ ...bob.verifier, id: alice.id }]), Fault);
});

t.test('a wrong signature of a trusted key spoils the note, whoever else signed it', async (t) => {
  const wrong = signNote('text\n', [alice, bob]).replace('text', 'test');
  const mixed = `test\n\n${signNote('test\n', [alice]).split('\n')[2]}\n${signNote('text\n', [bob]).split('\n')[2]}\n`;
  t.match(verifyText(wrong, [alice.verifier]), { meaning: /not over this text/ });
  t.match(verifyText(mixed, [alice.verifier, bob.verifier]), { meaning: /example.org\/bob is not over this text/ });
  t.notOk(verifyText(mixed, [alice.verifier]) instanceof Fault, 'of an unknown key it says nothing');
});

t.test('the same key twice is one signer', async (t) => {
  t.match(verifyText(signNote('text\n', [alice, alice]), [alice.verifier]), { signers: { length: 1 } });
});

t.test('a text may hold empty lines and lines that look like signatures', async (t) => {
  const text = 'first\n\n— example.org/alice AAAAAAAA\n\nlast\n';
  t.match(verifyText(signNote(text, [alice]), [alice.verifier]), { text });
});

t.test('the parser takes one form alone', async (t) => {
  const note = signNote('text\n', [alice]);
  const [, , line = ''] = note.split('\n');
  const bad = [
    '',
    '\n',
    'text\n',
    'text\n\n',
    note.slice(0, -1),
    `${note}\n`,
    `${note}x\n`,
    note.replaceAll('\n', '\r\n'),
    note.replace('text', 'te\rxt'),
    note.replace('text', 'te\u0000xt'),
    note.replace('text', 'te\txt'),
    note.replace('text', 'te\u007fxt'),
    note.replace('text', 'te\ud800xt'),
    note.replace('— ', '- '),
    note.replace('— ', '—  '),
    note.replace('— ', '—\u00a0'),
    note.replace('alice ', 'al+ice '),
    note.replace('alice ', 'al\u2003ice '),
    note.replace('alice ', 'al\u0085ice '),
    note.replace('example.org/alice ', ' '),
    note.replace(line, `${line} `),
    note.replace(line, `${line}=`),
    note.replace(line, line.replace(/=+$/, '')),
    note.replace(line, `— example.org/alice ${Buffer.alloc(4).toString('base64')}`),
    note.replace(line, Array.from({ length: limits.noteSignaturesMax + 1 }, () => line).join('\n')),
    `${'x'.repeat(limits.noteSizeMax)}\n${note}`,
  ];
  for (const text of bad) t.type(parseSignedNote(text), Fault, JSON.stringify(text.slice(0, 60)));
  t.notOk(parseSignedNote(note.replace(line, Array.from({ length: 16 }, () => line).join('\n'))) instanceof Fault, '16 are fine');
});

t.test('any flipped bit of a note is refused', async () => {
  const note = Buffer.from(signNote('text\nmore text\n', [alice]));
  fc.assert(
    fc.property(fc.nat(note.length * 8 - 1), (bit) => {
      const flipped = Buffer.from(note);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      return verifyText(flipped.toString('utf8'), [alice.verifier]) instanceof Fault;
    }),
    { numRuns: 400 },
  );
});

t.test('what is parsed is what was signed', async () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}|\p{Surrogate}/u.test(text));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
      const text = `${lines.join('\n')}\n`;
      return (parseSignedNote(signNote(text, [alice])) as SignedNote).text === text;
    }),
  );
});

t.test('keys in any other form are refused, and a refused secret is not repeated', async (t) => {
  const seed = goSigner.split('+').slice(4).join('+');
  const bad = [
    '',
    goVerifier.slice(1),
    goVerifier.replace('c74f20a3', 'c74f20a4'),
    goVerifier.replace('c74f20a3', 'C74F20A3'),
    goVerifier.replace('Neumann', ' Neumann'),
    goVerifier.replace('+AR', '+AB'),
    goVerifier.replace('+AR', '+BR'),
    `${goVerifier}\n`,
    `${goVerifier}AAAA`,
    goVerifier.slice(0, -4),
  ];
  for (const text of bad) t.type(parseNoteVerifier(text), Fault, text);
  for (const text of [
    goVerifier,
    goSigner.replace('PRIVATE', 'private'),
    goSigner.replace('c74f', 'c75f'),
    `${goSigner}A`,
    goSigner.slice(0, -4),
  ]) {
    const fault = parseNoteSigner(text);
    t.type(fault, Fault);
    t.notMatch((fault as Fault).meaning, seed.slice(0, 8));
  }
});

t.test('one key has an id of its own under each name, and a signer prints no secret', async (t) => {
  const other = renameSigner(alice, 'example.org/other');
  t.not(other.id, alice.id);
  t.equal(formatNoteVerifier(other.verifier).split('+')[2], formatNoteVerifier(alice.verifier).split('+')[2]);
  t.notMatch(JSON.stringify(alice), Buffer.alloc(32, 1).toString('base64url').slice(0, 10));
});
