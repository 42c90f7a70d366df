import t from 'tap';
import { accessChangeKinds, documentClassOf, parseAccessChange } from '../../../src/access/access-change.ts';
import type { DocumentId } from '../../../src/core/ids.ts';

const ORG = '0190a0b0-c0d0-7000-8000-000000000001';

t.test('an org and a kind are read', async (t) => {
  for (const kind of accessChangeKinds) t.strictSame(parseAccessChange(`${ORG} ${kind}`), { orgId: ORG, kind });
});

t.test('a class of documents is read', async (t) => {
  const documentId = '0190a0b0-c0d0-7000-8000-0000000004af' as DocumentId;
  const change = { orgId: ORG, kind: 'document', documentClass: '4af' };
  t.strictSame(parseAccessChange(`${ORG} document ${documentClassOf(documentId)}`), change);
});

t.test('anything else is nothing', async (t) => {
  const others = [
    '',
    ' ',
    ORG,
    `${ORG} `,
    `${ORG} sealing`,
    `${ORG} rules `,
    `${ORG}  rules`,
    `x rules`,
    'rules',
    `${ORG} constructor`,
    `${ORG} document`,
    `${ORG} document 4af0`,
    `${ORG} document 4AF`,
    `${ORG} rules 4af`,
    `${ORG} document 4af x`,
  ];
  for (const payload of others) t.equal(parseAccessChange(payload), undefined, JSON.stringify(payload));
});
