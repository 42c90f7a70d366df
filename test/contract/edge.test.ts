import t from 'tap';
import { openNetEdge } from '../../src/http/net-edge.ts';
import { openNodeHttpEdge } from '../../src/http/node-http-edge.ts';
import type { OpenEdge } from '../helpers/echo-edge.ts';
import { answerContract } from './edge-answer.contract.ts';
import { bodyContract } from './edge-body.contract.ts';
import { connectionContract } from './edge-connection.contract.ts';
import { type AdapterName, framingContract } from './edge-framing.contract.ts';
import { h1specContract } from './edge-h1spec.contract.ts';
import { refusalContract } from './edge-refusal.contract.ts';
import { streamContract } from './edge-stream.contract.ts';

/** `net` also as it reads where Node does not let sockets share a buffer. */
const adapters: readonly (readonly [title: string, name: AdapterName, open: OpenEdge])[] = [
  ['net', 'net', openNetEdge],
  ['net, reading by events', 'net', (options) => openNetEdge(options, false)],
  ['node:http', 'node:http', openNodeHttpEdge],
];

// Side by side: much of the time goes by in waits.
t.jobs = adapters.length;
for (const [title, name, open] of adapters) {
  t.test(title, { buffered: true }, async (t) => {
    framingContract(t, name, open);
    h1specContract(t, open);
    bodyContract(t, open);
    answerContract(t, open);
    streamContract(t, open);
    connectionContract(t, open);
    refusalContract(t, open);
  });
}
