import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ConfigFileName } from '../../../src/config/config-schema.ts';
import { readHocon } from '../../../src/config/hocon-config-file.ts';
import { configFileNames, keysOf, renderConfigurationPage, renderExample } from '../../helpers/config-pages.ts';
import { repository } from '../../helpers/source-files.ts';

const ADVICE = 'run `npm run docs`';

for (const file of configFileNames) {
  const example = readFileSync(join(repository, 'config', `${file}.example`), 'utf8');

  t.test(`config/${file}.example holds every key with its meaning and default`, async (t) => {
    t.equal(example, renderExample(file), ADVICE);
  });

  t.test(`config/${file}.example with its # taken away is read as the defaults`, async (t) => {
    const entries = await readHocon(example.replace(/^# /gm, ''), {});
    t.same([...entries.keys()].sort(), namesOf(file).sort());
    for (const [name, key] of keysOf(file)) {
      const value = key.read(entries.get(name)?.value);
      if (key.default === undefined) t.not(value, undefined, `${name} is a valid example`);
      else t.same(value, key.default, name);
    }
  });
}

t.test('docs/configuration.md holds every key', async (t) => {
  const page = readFileSync(join(repository, 'docs', 'configuration.md'), 'utf8');
  t.equal(page, renderConfigurationPage(page), ADVICE);
});

function namesOf(file: ConfigFileName): string[] {
  return keysOf(file).map(([name]) => name);
}
