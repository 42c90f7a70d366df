import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { repository } from '../helpers/source-files.ts';

interface End {
  readonly code: number | null;
  readonly signal: string | null;
}

interface Report {
  readonly passed: number;
  readonly failed: number;
  line(text: string): void;
  end(file: End & { readonly name: string; readonly milliseconds: number }): string[];
}

/** The report is plain JavaScript beside the tests' sources, since it runs them. */
const { TapReport } = (await import(pathToFileURL(join(repository, 'test', 'tap-report.mjs')).href)) as {
  TapReport: new () => Report;
};

function read(tap: string, end: End = { code: 0, signal: null }): { report: Report; told: string } {
  const report = new TapReport();
  for (const line of tap.split('\n')) report.line(line);
  const told = report.end({ name: 'test/unit/a.test.ts', milliseconds: 9, ...end }).join('\n');
  return { report, told };
}

const PASSING = `TAP version 14
# Subtest: adds
    ok 1 - one
    1..1
ok 1 - adds # time=3ms

# seed 42
1..1
# { total: 1, pass: 1 }
# time=9ms
`;

const FAILING = `TAP version 14
# Subtest: adds
    not ok 1 - one is two
      ---
      diff: |
        -2
        +1
      ...

    1..1
not ok 1 - adds # time=3ms
  ---
  at:
    fileName: beside-the-point
  ...

1..1
# { total: 3, pass: 2, fail: 1 }
`;

t.test('a file that passes is one line, and what it says beside', async (t) => {
  const { report, told } = read(PASSING);
  t.equal(told, 'ok   test/unit/a.test.ts 9 ms\n     # seed 42');
  t.match(report, { passed: 1, failed: 0 });
});

t.test('a failed assertion is told with its reason, the tests around it by name', async (t) => {
  const { report, told } = read(FAILING, { code: 1, signal: null });
  t.match(told, /^FAIL test\/unit\/a\.test\.ts.*not ok 1 - one is two\n.*diff: \|\n +-2\n +\+1\n.*not ok 1 - adds$/s);
  t.notMatch(told, 'beside-the-point');
  t.match(report, { passed: 2, failed: 1 });
});

t.test('a file that was killed, that failed without saying why, or that ended early has failed', async (t) => {
  const killed = read('TAP version 14\n', { code: null, signal: 'SIGKILL' });
  t.match(killed.told, 'it was ended by SIGKILL');
  const failed = read(PASSING, { code: 3, signal: null });
  t.match(failed.told, 'it ended with exit code 3');
  const early = read('TAP version 14\n# Subtest: adds\n    ok 1 - one\n');
  t.match(early.told, 'it ended before its tests did');
  for (const { report } of [killed, failed, early]) t.equal(report.failed, 1);
});

t.test('what is skipped or to do counts as failed', async (t) => {
  const { report, told } = read('# { total: 5, pass: 2, todo: 1, skip: 2 }\n');
  t.match(report, { passed: 2, failed: 3 });
  t.match(told, '3 assertions are skipped or to do');
});
