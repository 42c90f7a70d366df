import { flagTexts } from './flags.ts';
import { profiles } from './profiles.ts';

/** What `load --help` prints. */
export function helpText(): string {
  const flags = flagTexts.map(({ name, value, text }) => [`--${name}${value === undefined ? '' : ` ${value}`}`, text] as const);
  return [
    'Puts load on a running server and measures how it answers.',
    '',
    'Usage: npm run bench -- load --url URL (--profile NAME | --mix KIND=N,…) [FLAGS]',
    '',
    'Profiles:',
    ...columns(profiles.map(({ name, purpose }) => [name, purpose])),
    '',
    'Flags:',
    ...columns(flags),
    '',
    'Sizes are written 100KiB or 100KB, times 50ms, 5s or 2m. s3-signed takes AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,',
    'AWS_SESSION_TOKEN and AWS_REGION from the environment. docs/load.md says what the figures mean.',
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
