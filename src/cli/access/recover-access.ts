import type { CommandContext } from '../command.ts';
import { usage } from '../flags.ts';
import { printTree } from '../show-facts.ts';
import { keepKey } from './keep-key.ts';
import type { Recover } from './recover.ts';

/** `quasar access recover`. */
export async function recoverAccess({ flags, terminal }: CommandContext, recover: Recover): Promise<number> {
  const reason = flags.text('reason')?.trim();
  if (reason !== undefined && (reason === '' || [...reason].length > REASON_MAX)) {
    throw usage(`--reason takes 1 to ${REASON_MAX} characters.`);
  }
  const [data, config, org, out] = ['data', 'config', 'org', 'out'].map((name) => flags.text(name));
  const facts = await recover({ data, config, org, out, reason }, keepKey);
  if (flags.switch('json')) await terminal.printJson(facts);
  else await printTree(terminal, facts, '');
  if (facts.suspended === true) {
    terminal.note('quasar: the organisation is suspended; the key opens nothing until "quasar org resume" lets it in again.');
  }
  return 0;
}

const REASON_MAX = 500;
