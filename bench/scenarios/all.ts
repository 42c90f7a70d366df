import type { Scenario } from '../harness/stage.ts';
import { decisions } from './decisions.ts';
import { dedupe } from './dedupe.ts';
import { download100mb } from './download-100mb.ts';
import { fairness } from './fairness.ts';
import { hidden } from './hidden.ts';
import { memory } from './memory.ts';
import { ranges } from './ranges.ts';
import { records } from './records.ts';
import { scans } from './scans.ts';
import { smallFiles } from './small-files.ts';
import { start } from './start.ts';
import { upload100mb } from './upload-100mb.ts';

/** In the order in which they run and stand on the page. */
export const scenarios: readonly Scenario[] = [
  upload100mb,
  download100mb,
  ranges,
  smallFiles,
  scans,
  dedupe,
  fairness,
  memory,
  start,
  records,
  decisions,
  hidden,
];

/** Several scenarios by one word on the command line. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  headline: ['upload-100mb', 'download-100mb', 'ranges', 'small-files'],
  writing: ['upload-100mb', 'small-files', 'scans', 'dedupe'],
  reading: ['download-100mb', 'ranges'],
  access: ['records', 'decisions', 'hidden'],
  limits: ['fairness', 'memory', 'start'],
};
