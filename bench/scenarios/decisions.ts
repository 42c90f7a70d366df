import type { Scenario } from '../harness/stage.ts';
import { measureGate } from './decisions-gate.ts';
import { measureRanges } from './decisions-ranges.ts';

export const decisions: Scenario = {
  name: 'decisions',
  title: 'What access decisions and the counting of reads cost a request',
  async run(stage) {
    const gate = await measureGate(stage);
    await stage.closeAll();
    return [gate, ...(await measureRanges(stage))];
  },
};
