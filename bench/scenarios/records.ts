import type { Scenario } from '../harness/stage.ts';
import { measureStatements } from './records-statements.ts';
import { measureUploads } from './records-uploads.ts';

export const records: Scenario = {
  name: 'records',
  title:
    'Documents with version, metadata, access decision and audit event: uploads in one request and in three, patches and reads',
  async run(stage) {
    const uploads = await measureUploads(stage);
    await stage.closeAll();
    return [uploads, ...(await measureStatements(stage))];
  },
};
