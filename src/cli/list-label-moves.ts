import type { CommandContext } from './command.ts';
import { usage } from './flags.ts';
import { labelPath } from './label-path.ts';
import { printPages } from './print-pages.ts';
import { printable } from './terminal.ts';
import { record } from './upload-client.ts';

/** `quasar label --moves`. */
export function listLabelMoves(context: CommandContext): Promise<number> {
  const [document, label, version] = context.args as [string, string, string | undefined];
  for (const flag of ['expect', 'reason']) {
    if (context.flags.has(flag)) throw usage(`--${flag} moves a label; --moves only lists.`);
  }
  if (version !== undefined) throw usage('--moves lists where a label stood; leave VERSION out.');
  return printPages(context, { path: `${labelPath(document, label)}/moves`, line: moveLine });
}

function moveLine(item: unknown): string {
  const { versionId, previousVersionId, reason, movedBy, movedAt } = record(item);
  return printable(`${movedAt}  ${previousVersionId ?? 'none'} -> ${versionId}  by ${movedBy}  ${reason ?? ''}`.trimEnd());
}
