import type { Key } from '../../src/config/config-key.ts';
import { type ConfigFileName, configSchema } from '../../src/config/config-schema.ts';

export const configFileNames = Object.keys(configSchema) as ConfigFileName[];

const FIRST_LINES: Readonly<Record<ConfigFileName, string>> = {
  'quasar.conf': 'The server: where data lies, where it listens, what it admits.',
  'db.conf': 'The database. Without this file `quasar up` runs a PostgreSQL of its own.',
  'storage.conf': 'The storage node on this machine.',
  'logging.conf': 'What is logged, and how.',
};
const WIDTH = 100;
const BEGIN = '<!-- keys: written from src/config/config-schema.ts by `npm run docs` -->';
const END = '<!-- end of keys -->';

/** config/<file>.example: every key, commented out, with its default, as HOCON. */
export function renderExample(file: ConfigFileName): string {
  const head = [
    FIRST_LINES[file],
    `Copy to ${file} in the config folder (/etc/quasar/config, or --config DIR) and take away the # of what you change.`,
    `Keys may come from the environment: key = \${?NAME}`,
  ];
  const keys = keysOf(file).map(([name, key]) =>
    [...comment(key.description), ...comment(`It is ${key.expected}.`), exampleLine(name, key)].join('\n'),
  );
  return `${[head.flatMap((line) => comment(line)).join('\n'), ...keys].join('\n\n')}\n`;
}

/** The page with its tables brought up to date; the text around them stays. */
export function renderConfigurationPage(page: string): string {
  const before = page.indexOf(BEGIN);
  const after = page.indexOf(END);
  if (before < 0 || after < before) throw new Error('docs/configuration.md has lost the marks around its tables');
  return `${page.slice(0, before)}${BEGIN}\n\n${configFileNames.map(renderTable).join('\n')}\n${page.slice(after)}`;
}

export function keysOf(file: ConfigFileName): [string, Key<unknown>][] {
  return Object.entries(configSchema[file] as Record<string, Key<unknown>>);
}

function renderTable(file: ConfigFileName): string {
  const rows = keysOf(file).map(
    ([name, key]) => `| \`${name}\` | ${shownDefault(key) ?? 'none'} | ${key.expected} | ${key.description} |`,
  );
  return `### ${file}\n\n| key | default | value | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

function shownDefault(key: Key<unknown>): string | undefined {
  return key.default === undefined ? undefined : key.show(key.default);
}

function exampleLine(name: string, key: Key<unknown>): string {
  const value = shownDefault(key) ?? (key.example as string);
  const bare = /^[\w./-]+$/.test(value) && !value.startsWith('/');
  return `# ${name} = ${bare ? value : JSON.stringify(value)}`;
}

function comment(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string;
    if (last.length + word.length + 3 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.map((line) => `## ${line}`);
}
