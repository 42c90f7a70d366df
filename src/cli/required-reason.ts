import { type Flags, usage } from './flags.ts';

/** @throws QuasarError `usage` when `--reason` is not given. */
export function requiredReason(flags: Flags): string {
  const reason = flags.text('reason');
  if (reason === undefined) throw usage('--reason is missing: why?');
  return reason;
}
