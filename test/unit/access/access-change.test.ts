import t from 'tap';
import { accessChangeKinds, parseAccessChange } from '../../../src/access/access-change.ts';

const ORG = '0190a0b0-c0d0-7000-8000-000000000001';

t.test('an org and a kind are read', async (t) => {
  for (const kind of accessChangeKinds) t.strictSame(parseAccessChange(`${ORG} ${kind}`), { orgId: ORG, kind });
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
  ];
  for (const payload of others) t.equal(parseAccessChange(payload), undefined, JSON.stringify(payload));
});
