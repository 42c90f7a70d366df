/** The HTTP contract suites under whatever Node.js runs this; a program of its own. */
import t from 'tap';
import { openNetEdge } from '../../src/http/net-edge.ts';
import { openNodeHttpEdge } from '../../src/http/node-http-edge.ts';
import { answerContract } from '../contract/edge-answer.contract.ts';
import { bodyContract } from '../contract/edge-body.contract.ts';
import { framingContract } from '../contract/edge-framing.contract.ts';

t.comment(`Node.js ${process.versions.node}`);
for (const [name, open] of [
  ['net', openNetEdge],
  ['node:http', openNodeHttpEdge],
] as const) {
  framingContract(t, name, open);
  bodyContract(t, open);
  answerContract(t, open);
}
