import type { LoggedEvent } from '../../audit/audit-log.ts';
import { treeHashToBase64 } from '../../audit/merkle-hash.ts';
import { QuasarError } from '../../core/errors.ts';
import { fingerprintOf } from '../../core/fingerprint.ts';
import type { Exchange } from '../edge.ts';
import { replyJson } from '../reply.ts';
import { onOrg } from '../route-access.ts';
import { route } from '../router.ts';
import { parseEventFilter, parseLeafNumber } from './audit-filter.ts';
import { badField } from './body-fields.ts';
import { pageOf } from './request-bodies.ts';
import type { Services } from './services.ts';

/** What happened in the caller's org, and the proofs that nothing of it was changed (docs/format/audit-v1.md). */
export const listEvents = route(
  'GET',
  '/v1/audit/events',
  onOrg('audit.read'),
  async (exchange, _params, { audit, cursors }: Services, caller) => {
    const filter = parseEventFilter(new URLSearchParams(exchange.query));
    const purpose = `audit:${caller.orgId}:${fingerprintOf({ ...filter })}`;
    const page = await audit.log.listEvents(caller, filter, pageOf(exchange, cursors, purpose));
    replyJson(exchange, 200, {
      items: page.items.map(leafView),
      nextCursor: page.next === undefined ? null : cursors.seal(purpose, page.next),
    });
  },
);

export const getEvent = route(
  'GET',
  '/v1/audit/events/{leaf}',
  onOrg('audit.read'),
  async (exchange, { leaf }, { audit }: Services, caller) => {
    const found = await audit.log.findLeaf(caller, parseLeafNumber(leaf as string, 'leaf'));
    if (found === undefined) throw new QuasarError('audit_event_not_found', { op: 'audit.findLeaf' });
    replyJson(exchange, 200, leafView(found));
  },
);

export const getCheckpoint = route(
  'GET',
  '/v1/audit/checkpoint',
  onOrg('audit.read'),
  async (exchange, _params, { audit }: Services, caller) => {
    const size = new URLSearchParams(exchange.query).get('size');
    const found = await audit.log.findCheckpoint(caller, size === null ? undefined : parseLeafNumber(size, 'size'));
    if (found === undefined) throw new QuasarError('checkpoint_not_found', { op: 'audit.findCheckpoint' });
    replyText(exchange, found.note);
  },
);

export const getAuditKey = route(
  'GET',
  '/v1/audit/key',
  onOrg('audit.read'),
  (exchange, _params, { audit }: Services, caller) => {
    replyText(exchange, `${audit.verifierOf(caller.orgId)}\n`);
  },
);

export const proveInclusion = route(
  'GET',
  '/v1/audit/proofs/inclusion',
  onOrg('audit.read'),
  async (exchange, _params, { audit }: Services, caller) => {
    const leaf = numberOf(exchange, 'leaf');
    const size = numberOf(exchange, 'size');
    const { leafHash, root, proof } = await audit.log.proveInclusion(caller, leaf, size);
    const hashes = { leafHash: treeHashToBase64(leafHash), root: treeHashToBase64(root), proof: proof.map(treeHashToBase64) };
    replyJson(exchange, 200, { leaf, size, ...hashes });
  },
);

export const proveConsistency = route(
  'GET',
  '/v1/audit/proofs/consistency',
  onOrg('audit.read'),
  async (exchange, _params, { audit }: Services, caller) => {
    const first = numberOf(exchange, 'first');
    const second = numberOf(exchange, 'second');
    const proof = await audit.log.proveConsistency(caller, first, second);
    replyJson(exchange, 200, { first, second, proof: proof.map(treeHashToBase64) });
  },
);

/** The event as its canonical form has it, `v` included; bytes that are no event as they are, in Base64. */
function leafView({ leaf, hash, bytes, event }: LoggedEvent): Record<string, unknown> {
  const place = { leaf, hash: treeHashToBase64(hash) };
  if (event !== undefined) return { ...place, event };
  return { ...place, bytes: Buffer.from(bytes).toString('base64') };
}

function replyText(exchange: Exchange, text: string): void {
  exchange.reply(200, ['Content-Type', 'text/plain; charset=utf-8', ...NOT_KEPT], text);
}

function numberOf(exchange: Exchange, parameter: string): number {
  const text = new URLSearchParams(exchange.query).get(parameter);
  if (text === null) throw badField(parameter, 'is missing');
  return parseLeafNumber(text, parameter);
}

const NOT_KEPT = ['X-Content-Type-Options', 'nosniff', 'Cache-Control', 'no-store'];
