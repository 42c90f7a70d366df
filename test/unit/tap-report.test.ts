import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { repository } from '../helpers/source-files.ts';

interface Report {
  readonly passed: number;
  readonly failed: number;
  line(text: string): void;
}

/** The report is plain JavaScript beside the tests' sources, since it runs them. */
const { TapReport } = (await import(pathToFileURL(join(repository, 'test', 'tap-report.mjs')).href)) as {
  TapReport: new (print: (line: string) => void) => Report;
};

function read(tap: string): { report: Report; told: string } {
  const lines: string[] = [];
  const report = new TapReport((line) => lines.push(line));
  for (const line of tap.split('\n')) report.line(line);
  return { report, told: lines.join('\n') };
}

const PASSING = `TAP version 14
1..1
# Subtest: dist/test/unit/a.test.js
    # Subtest: adds
        ok 1 - one
        1..1
    ok 1 - adds # time=3ms

    # seed 42
    1..1
ok 1 - dist/test/unit/a.test.js # time=9ms

# { total: 1, pass: 1 }
`;

const FAILING = `TAP version 14
1..1
# Subtest: dist/test/unit/a.test.js
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
not ok 1 - dist/test/unit/a.test.js # time=9ms
  ---
  exitCode: 1
  ...

# { total: 3, pass: 2, fail: 1 }
`;

const KILLED = `TAP version 14
1..1
# Subtest: dist/test/unit/a.test.js
    1..0
not ok 1 - dist/test/unit/a.test.js # time=9ms
  ---
  exitCode: null
  signal: SIGKILL
  ...

# { total: 1, fail: 1 }
`;

t.test('a file that passes is one line, and what it says beside', async (t) => {
  const { report, told } = read(PASSING);
  t.equal(told, 'ok   test/unit/a.test.ts 9ms\n     # seed 42');
  t.match(report, { passed: 1, failed: 0 });
});

t.test('a failed assertion is told with its reason, the tests around it by name', async (t) => {
  const { report, told } = read(FAILING);
  t.match(told, /^FAIL test\/unit\/a\.test\.ts.*not ok 1 - one is two\n.*diff: \|\n +-2\n +\+1\n.*not ok 1 - adds$/s);
  t.notMatch(told, 'beside-the-point');
  t.match(report, { passed: 2, failed: 1 });
});

t.test('a file that was killed is told with its signal', async (t) => {
  const { report, told } = read(KILLED);
  t.match(told, 'signal: SIGKILL');
  t.match(report, { passed: 0, failed: 1 });
});

t.test('what is skipped or to do counts as failed', async (t) => {
  const { report, told } = read('# { total: 5, pass: 2, todo: 1, skip: 2 }\n');
  t.match(report, { passed: 2, failed: 3 });
  t.match(told, '3 assertions are skipped or to do');
});
