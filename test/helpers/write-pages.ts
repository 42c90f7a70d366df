import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readResults, writePage } from '../../bench/harness/results-file.ts';
import { configFileNames, renderConfigurationPage, renderExample } from './config-pages.ts';
import { repository } from './source-files.ts';

/** `npm run docs`: brings the pages that are written from the code up to date. */
for (const file of configFileNames) writeFileSync(join(repository, 'config', `${file}.example`), renderExample(file));
const page = join(repository, 'docs', 'configuration.md');
writeFileSync(page, renderConfigurationPage(readFileSync(page, 'utf8')));
const results = readResults();
if (results !== undefined) await writePage(results);
