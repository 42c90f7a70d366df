import { realpath } from 'node:fs/promises';
import { inspectSegment } from '../segment/inspect-segment.ts';
import { diskFiles, type SegmentFile } from '../segment/segment-files.ts';
import type { CommandContext } from './command.ts';
import { fileFault } from './file-fault.ts';
import { printable } from './terminal.ts';

/** `quasar inspect-segment`. */
export async function showSegment({ args, flags, terminal }: CommandContext): Promise<number> {
  const path = args[0] as string;
  let file: SegmentFile | undefined;
  try {
    // A node refuses links among its files; a person may name a segment by one.
    file = await diskFiles.open(await realpath(path), { access: 'read', direct: false });
    const { healthy, lines, report } = await inspectSegment(file, {
      verifyPayloads: !flags.switch('quick'),
      records: !flags.switch('summary'),
    });
    if (flags.switch('json')) await terminal.printJson(report);
    else for (const line of lines) await terminal.print(printable(line));
    return healthy ? 0 : 6;
  } catch (cause) {
    throw fileFault(cause, 'read', path);
  } finally {
    await file?.close();
  }
}
