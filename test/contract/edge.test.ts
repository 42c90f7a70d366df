import t from 'tap';
import { openNetEdge } from '../../src/http/net-edge.ts';
import { openNodeHttpEdge } from '../../src/http/node-http-edge.ts';
import { answerContract } from './edge-answer.contract.ts';
import { bodyContract } from './edge-body.contract.ts';
import { connectionContract } from './edge-connection.contract.ts';
import { type AdapterName, framingContract } from './edge-framing.contract.ts';
import { refusalContract } from './edge-refusal.contract.ts';
import { streamContract } from './edge-stream.contract.ts';

const adapters = { net: openNetEdge, 'node:http': openNodeHttpEdge };

for (const [name, open] of Object.entries(adapters)) {
  t.test(name, async (t) => {
    framingContract(t, name as AdapterName, open);
    bodyContract(t, open);
    answerContract(t, open);
    streamContract(t, open);
    connectionContract(t, open);
    refusalContract(t, open);
  });
}
