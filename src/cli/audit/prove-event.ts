import { hashLeaf, parseTreeHash, treeHashToBase64 } from '../../audit/merkle-hash.ts';
import { verifyInclusion } from '../../audit/merkle-proof.ts';
import { canonicalJsonBytes } from '../../core/canonical-json.ts';
import { QuasarError } from '../../core/errors.ts';
import { Attempts } from '../attempts.ts';
import { withClient } from '../client-flags.ts';
import type { CommandContext } from '../command.ts';
import { usage } from '../flags.ts';
import { record } from '../upload-client.ts';
import { eventLine } from './event-line.ts';
import { readAnswer } from './read-answer.ts';
import { parseProof, readHead } from './show-checkpoint.ts';
import { readTrustedKeys } from './trusted-keys.ts';

/** `quasar audit proof`: believes nothing of what the server says but a signature, and that only with a key. */
export async function proveEvent(context: CommandContext): Promise<number> {
  const { args, flags, terminal } = context;
  const leaf = parseLeaf(args[0] as string);
  const given = flags.text('key');
  const trusted = given === undefined ? undefined : await readTrustedKeys(given);
  const found = await withClient(context, async (http) => {
    const attempts = new Attempts(context);
    const get = async (path: string) => record((await attempts.run(() => http.json({ method: 'GET', path }))).value);
    const event = await get(`/v1/audit/events/${leaf}`);
    const checkpoint = await attempts.run(() => readAnswer(http, '/v1/audit/checkpoint'));
    const head = readHead(checkpoint, trusted, 'The checkpoint of the server');
    if (leaf >= head.size) throw notSigned(leaf);
    return { event, checkpoint, head, claim: await get(`/v1/audit/proofs/inclusion?leaf=${leaf}&size=${head.size}`) };
  });
  const { event, checkpoint, head, claim } = found;
  const leafHash = hashOf(event);
  const { size, root } = head;
  const proof = parseProof(claim.proof);
  if (leafHash === undefined || !verifyInclusion({ leaf, size, leafHash, root }, proof)) throw notProved(leaf, size);
  if (flags.switch('json')) {
    const hashes = { leafHash: treeHashToBase64(leafHash), root: treeHashToBase64(root), proof: claim.proof };
    await terminal.printJson({ leaf, size, ...hashes, event: event.event, checkpoint, signatureChecked: trusted !== undefined });
    return 0;
  }
  await terminal.print(eventLine(event));
  await terminal.print(`is in the log of ${size} events with the root ${treeHashToBase64(root)}, signed at ${head.time}`);
  if (trusted === undefined) await terminal.print('Whether the key of the log signed that was not checked: give --key.');
  return 0;
}

/** What the event that was shown has in a tree, not what the server says it has. */
function hashOf({ event, hash }: Record<string, unknown>): ReturnType<typeof parseTreeHash> {
  const stated = typeof hash === 'string' ? parseTreeHash(hash) : undefined;
  const found = event === undefined ? undefined : hashLeaf(canonicalJsonBytes(event));
  return stated !== undefined && found !== undefined && Buffer.compare(stated, found) === 0 ? found : undefined;
}

function parseLeaf(text: string): number {
  const leaf = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(leaf)) throw usage(`LEAF is a whole number from 0, not "${text}".`);
  return leaf;
}

function notSigned(leaf: number): QuasarError {
  const message = `Event ${leaf} is behind the last signed head; the next one is signed within seconds.`;
  return new QuasarError('checkpoint_not_found', { op: 'cli.audit', message });
}

function notProved(leaf: number, size: number): QuasarError {
  const message = `Event ${leaf} as the server shows it is not in the signed log of ${size} events.`;
  return new QuasarError('corrupt', { op: 'cli.audit', message });
}
