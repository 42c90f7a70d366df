import { originOf } from '../../audit/checkpoint.ts';
import { limits } from '../../core/limits.ts';
import type { Exchange } from '../edge.ts';
import { onOrg } from '../route-access.ts';
import { route } from '../router.ts';
import { badField } from './body-fields.ts';
import type { Services } from './services.ts';

/**
 * The log of the caller's org, a line at a time, for a verification off line. That it was taken out is stored before
 * the first byte leaves; an export that breaks off has no last chunk.
 */
export const exportAudit = route(
  'GET',
  '/v1/audit/export',
  onOrg('audit.read'),
  async (exchange, _params, { audit }: Services, caller) => {
    const unsigned = unsignedOf(exchange);
    const headers = ['Content-Type', 'application/x-ndjson', 'X-Content-Type-Options', 'nosniff', 'Cache-Control', 'no-store'];
    if (exchange.method !== 'HEAD') {
      const id = originOf(caller.orgId);
      await audit.append(caller, { action: 'log.export', resource: { kind: 'log', id } });
    }
    await stream(exchange, headers, exchange.method === 'HEAD' ? [] : audit.log.exportLines(caller, { unsigned }));
  },
);

function unsignedOf({ query }: Exchange): boolean {
  const text = new URLSearchParams(query).get('unsigned') ?? 'false';
  if (text !== 'true' && text !== 'false') throw badField('unsigned', 'must be true or false');
  return text === 'true';
}

/** The head goes out with the first piece, so that what fails before is a problem like any other. */
async function stream(
  exchange: Exchange,
  headers: readonly string[],
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<void> {
  let piece = '';
  const send = async (): Promise<void> => {
    if (exchange.sent.status === 0) exchange.start(200, headers, undefined);
    await exchange.write(Buffer.from(piece));
    piece = '';
  };
  for await (const line of lines) {
    piece += `${line}\n`;
    if (piece.length >= limits.auditExportPieceSize) await send();
  }
  await send();
  exchange.end();
}
