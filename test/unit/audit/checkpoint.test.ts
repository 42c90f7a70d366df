import t from 'tap';
import {
  type Checkpoint,
  formatCheckpoint,
  openCheckpoint,
  orgOfOrigin,
  originOf,
  parseCheckpoint,
  signCheckpoint,
} from '../../../src/audit/checkpoint.ts';
import { EMPTY_ROOT } from '../../../src/audit/merkle-hash.ts';
import { noteSigner } from '../../../src/audit/note-key.ts';
import { signNote } from '../../../src/audit/signed-note.ts';
import { Fault } from '../../../src/segment/fault.ts';
import { orgId, origin, otherOrgId, signer } from '../../helpers/audit-log-fixture.ts';

const checkpoint: Checkpoint = { origin, size: 20_852_163, root: EMPTY_ROOT, time: '2026-11-21T18:00:00.000Z' };
const text = `${origin}\n20852163\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\ntime 2026-11-21T18:00:00.000Z\n`;
const witness = noteSigner('witness.example', Buffer.alloc(32, 3));

t.test('a checkpoint is four lines: origin, size, root, time', async (t) => {
  t.equal(formatCheckpoint(checkpoint), text);
  t.same(parseCheckpoint(text), checkpoint);
  for (const size of [0, 1, 2 ** 53 - 1])
    t.same(parseCheckpoint(formatCheckpoint({ ...checkpoint, size })), { ...checkpoint, size });
});

t.test('the parser takes one form alone', async (t) => {
  const bad = [
    '',
    text.slice(0, -1),
    `${text}\n`,
    `${text}more\n`,
    text.replace(/time.*\n/, ''),
    text.replace('time ', 'time: '),
    text.replace('.000Z', 'Z'),
    text.replace('.000Z', '.000+00:00'),
    text.replace('2026-11-21', '2026-11-31'),
    text.replace('20852163', '020852163'),
    text.replace('20852163', '+20852163'),
    text.replace('20852163', '-1'),
    text.replace('20852163', '2e7'),
    text.replace('20852163', ''),
    text.replace('20852163', '9007199254740992'),
    text.replace('20852163', ' 20852163'),
    text.replace('uFU=', 'uFU'),
    text.replace('uFU=', 'uFV='),
    text.replace('47DE', ''),
    text.replace(origin, ''),
    text.replace('quasar/', 'quasar /'),
    text.replaceAll('\n', '\r\n'),
  ];
  for (const wrong of bad) t.type(parseCheckpoint(wrong), Fault, JSON.stringify(wrong));
});

t.test('a log signs under its origin, which names its org', async (t) => {
  t.equal(originOf(orgId), `quasar/${orgId}`);
  t.equal(orgOfOrigin(origin), orgId);
  for (const other of ['', 'quasar/', 'quasar/x', `other/${orgId}`, `${origin} `, origin.toUpperCase()])
    t.equal(orgOfOrigin(other), undefined);
  t.throws(() => signCheckpoint(checkpoint, witness), { name: 'AssertionError' });
});

t.test('a signed checkpoint is opened with the key of its log', async (t) => {
  const note = signCheckpoint(checkpoint, signer);
  t.match(openCheckpoint(note, [signer.verifier]), { ...checkpoint, note: { signers: [{ name: origin }], unknown: [] } });
  const cosigned = signNote(text, [signer, witness]);
  t.match(openCheckpoint(cosigned, [signer.verifier, witness.verifier]), { note: { signers: { length: 2 } } });
  t.match(openCheckpoint(cosigned, [signer.verifier]), { note: { unknown: [{ name: 'witness.example' }] } });
});

t.test('a checkpoint that the log itself did not sign is not believed', async (t) => {
  const ofOther = noteSigner(originOf(otherOrgId), Buffer.alloc(32, 7));
  const trusted = [signer.verifier, witness.verifier, ofOther.verifier];
  t.match(openCheckpoint(signNote(text, [witness]), trusted), { kind: 'bad-signature' });
  t.match(openCheckpoint(signNote(text, [ofOther]), trusted), { kind: 'bad-signature' }, 'same key, another log');
  t.match(openCheckpoint(signCheckpoint(checkpoint, signer), []), { kind: 'bad-signature' });
  t.match(openCheckpoint(signCheckpoint(checkpoint, signer).replace('20852163', '20852164'), trusted), { kind: 'bad-signature' });
});

t.test('a signed text that is no checkpoint is none', async (t) => {
  t.match(openCheckpoint(signNote(`${origin}\n1\n`, [signer]), [signer.verifier]), { kind: 'bad-checkpoint' });
  t.match(openCheckpoint('nothing', [signer.verifier]), { kind: 'bad-checkpoint' });
});
