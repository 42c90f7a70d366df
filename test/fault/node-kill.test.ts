import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import t from 'tap';
import type { BlockId } from '../../src/core/digest.ts';
import { openDice } from '../helpers/drill-dice.ts';
import { brokenOf, openNode, smallSegments } from '../helpers/node-fixture.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const ROUNDS = 4;
const segmentSize = 16 * smallSegments;
const dice = openDice((line) => t.comment(line));

/** Stores new blocks without end, several calls at a time, and prints the id of each one acknowledged. */
const program = `
const [directory, start] = process.argv.slice(1);
const { openForever, blockOf } = await import('${new URL('../helpers/node-fixture.js', import.meta.url).href}');
const node = await openForever(directory, ${segmentSize});
let next = Number(start);
const store = async () => {
  for (;;) {
    const number = next++;
    const blocks = [blockOf(number, number % 3 === 0 ? 200_000 : 3000), blockOf(-number, 100, 'piece')];
    await node.putBlocks(blocks);
    process.stdout.write(blocks.map(({ id }) => id + '\\n').join(''));
  }
};
await Promise.all(Array.from({ length: 8 }, store));
`;

/** Kills the process some milliseconds after its first acknowledgement; returns what it had acknowledged. */
async function killedRound(directory: string, start: number, afterMs: number): Promise<BlockId[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory, String(start)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: BlockId[] = [];
  for await (const line of createInterface(child.stdout)) {
    if (acknowledged.length === 0) setTimeout(() => child.kill('SIGKILL'), afterMs);
    // The last line may be cut by the kill.
    if (line.length === 64) acknowledged.push(line as BlockId);
  }
  return acknowledged;
}

t.test('what a killed process had acknowledged is there, round after round', async (t) => {
  const directory = temporaryFolder(t);
  const acknowledged: { id: BlockId }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const afterMs = dice.int(0, 150);
    const ids = await killedRound(directory, 1 + round * 1_000_000, afterMs);
    t.ok(ids.length > 0, `round ${round}: ${ids.length} blocks acknowledged in ${afterMs} ms`);
    acknowledged.push(...ids.map((id) => ({ id })));
    const node = await openNode(t, directory, { segmentSize });
    t.same(await brokenOf(node, acknowledged), []);
    await node.close();
  }
});
