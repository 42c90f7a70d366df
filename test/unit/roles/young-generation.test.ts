import { execFileSync } from 'node:child_process';
import t from 'tap';

const module = new URL('../../../src/roles/young-generation.js', import.meta.url).href;

/** Size of the new space after objects have survived by the hundred thousand; in a process of its own, for flags are for ever. */
function newSpaceSize(before: string): number {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    ${before}
    let kept = [];
    for (let round = 0; round < 2_000_000; round++) {
      kept.push({ round, list: [round] });
      if (kept.length > 20_000) kept = [];
    }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

t.test('the memory for new objects does not grow any more', async (t) => {
  const grown = newSpaceSize('');
  const kept = newSpaceSize(`import { keepYoungGenerationSize } from ${JSON.stringify(module)}; keepYoungGenerationSize();`);
  t.ok(kept <= grown / 2, `${kept} instead of ${grown} bytes`);
});
