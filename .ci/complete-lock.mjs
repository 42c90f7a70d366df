/**
 * Run after `npm install` changed package-lock.json through a registry mirror that carries only some platforms.
 * npm drops optional packages it cannot fetch from the lock file, and `npm ci` then refuses the lock everywhere. This
 * writes them back as optional entries for their platform, without an integrity the mirror could not tell.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x'];
const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));

let added = 0;
for (const { optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, range] of Object.entries(optionalDependencies)) {
    const at = `node_modules/${name}`;
    if (lock.packages[at] !== undefined) continue;
    lock.packages[at] = platformEntry(name, range);
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added} platform packages added`);

function platformEntry(name, range) {
  const words = name.split('/').at(-1).split(/[-_]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = words.includes('gnueabihf') ? 'arm' : PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+/.test(range)) {
    throw new Error(`${name}@${range} is optional and missing, but not a package for one platform; add it to the lock by hand`);
  }
  const libc = words.includes('musl') ? { libc: ['musl'] } : words.includes('gnu') ? { libc: ['glibc'] } : {};
  return { version: range, cpu: [cpu], ...libc, optional: true, os: [os] };
}
