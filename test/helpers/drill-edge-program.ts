/** The HTTP contract suites on whatever server this Node.js and this machine can load; a program of its own. */
import t from 'tap';
import { openNodeHttpEdge } from '../../src/http/node-http-edge.ts';
import { openUwsEdge } from '../../src/http/uws-edge.ts';
import { answerContract } from '../contract/edge-answer.contract.ts';
import { bodyContract } from '../contract/edge-body.contract.ts';
import { framingContract } from '../contract/edge-framing.contract.ts';
import { openEchoEdge } from './echo-edge.ts';

const name = await loadable();
const open = name === 'uwebsockets' ? openUwsEdge : openNodeHttpEdge;
t.comment(`Node.js ${process.versions.node}, ${name}`);
framingContract(t, name, open);
bodyContract(t, open);
answerContract(t, open);

async function loadable(): Promise<'uwebsockets' | 'node:http'> {
  try {
    const { edge } = await openEchoEdge(openUwsEdge);
    await edge.close();
    return 'uwebsockets';
  } catch (error) {
    t.comment(String(error));
    return 'node:http';
  }
}
