import t from 'tap';
import { ArgumentFault, chooseScenarios, readArguments } from '../../../bench/arguments.ts';

const known = ['upload-100mb', 'small-files', 'scans', 'start'].map((name) => ({ name }));
const groups = { writing: ['small-files', 'upload-100mb'], start: ['scans'] };
const chosen = (...names: string[]) => chooseScenarios(known, groups, names).map(({ name }) => name);

t.test('without words everything is measured five times without peers', async (t) => {
  t.same(readArguments([]), { kind: 'run', scenarios: [], peers: 'none', runs: 5 });
});

t.test('flags and scenarios stand in any order', async (t) => {
  t.same(readArguments(['upload', '--peers', 'minio', '--runs', '7', 'ranges', '--dir', '/a', '--out', '/b', '--spine', '/c']), {
    kind: 'run',
    scenarios: ['upload', 'ranges'],
    peers: 'minio',
    runs: 7,
    dir: '/a',
    out: '/b',
    spine: '/c',
  });
});

t.test('load and quick keep their words for themselves', async (t) => {
  t.same(readArguments(['load', '--url', 'http://x', '--runs', 'many']), {
    kind: 'load',
    rest: ['--url', 'http://x', '--runs', 'many'],
  });
  t.same(readArguments(['quick']), { kind: 'quick', rest: [] });
});

t.test('help wins over everything else that can be read', async (t) => {
  t.same(readArguments(['upload', '--help']), { kind: 'help' });
  t.same(readArguments(['-h']), { kind: 'help' });
});

t.test('what cannot be understood is a fault of one line', async (t) => {
  for (const words of [['--only', 'upload'], ['--runs', '0'], ['--runs', '1.5'], ['--runs', 'x'], ['--peers'], ['--dir']]) {
    const fault = faultOf(() => readArguments(words));
    t.ok(fault instanceof ArgumentFault, words.join(' '));
    t.notMatch(fault?.message, '\n');
  }
});

t.test('no name means all scenarios', async (t) => {
  t.same(
    chosen(),
    known.map(({ name }) => name),
  );
});

t.test('scenarios are chosen by name, group or the beginning of one name, in their own order, once', async (t) => {
  t.same(chosen('small-files'), ['small-files']);
  t.same(chosen('up'), ['upload-100mb']);
  t.same(chosen('writing'), ['upload-100mb', 'small-files']);
  t.same(chosen('scans', 'sm', 'writing'), ['upload-100mb', 'small-files', 'scans']);
});

t.test('a name wins over a group, and over the beginning of another name', async (t) => {
  t.same(chosen('start'), ['start']);
});

t.test('a beginning that several names have, and a name that nothing has, are faults that say what there is', async (t) => {
  t.match(faultOf(() => chosen('s'))?.message, /s may be small-files, scans, start/);
  t.match(faultOf(() => chosen('upload-200mb'))?.message, /no scenario is called upload-200mb; there are upload-100mb,/);
  t.match(faultOf(() => chosen(''))?.message, /no scenario/);
  t.match(faultOf(() => chosen('toString'))?.message, /no scenario/);
});

function faultOf(run: () => unknown): Error | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
