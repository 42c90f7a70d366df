import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from './ask.ts';
import { expectStatus, type Person } from './people.ts';

/** The events of a request about this action, once they have their numbers; `auditor` may read the log. */
export async function eventsOfRequest(auditor: Person, requestId: string, action: string): Promise<readonly Json[]> {
  for (let waited = 0; waited < 30_000; waited += 50) {
    const page = expectStatus(await auditor.ask('GET', `/v1/audit/events?action=${action}&limit=1000`), 200);
    const found = (page.items as { event: Json }[]).map(({ event }) => event).filter((event) => event.requestId === requestId);
    if (found.length > 0) return found;
    await sleep(50);
  }
  throw new Error(`no ${action} of ${requestId} in the log`);
}
