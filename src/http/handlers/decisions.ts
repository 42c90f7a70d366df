import { decidingPlace, type EventExplanation, explainEvent } from '../../access/explain-event.ts';
import type { RuleChange, RuledThing } from '../../access/rule-store.ts';
import type { LoggedEvent } from '../../audit/audit-log.ts';
import type { EventRulesVersion } from '../../audit/event-origin.ts';
import { QuasarError } from '../../core/errors.ts';
import { type AuditEventId, type DocumentId, type FolderId, isId } from '../../core/ids.ts';
import type { Caller } from '../caller.ts';
import { replyJson } from '../reply.ts';
import { onOrg } from '../route-access.ts';
import { route } from '../router.ts';
import { ruleChangeView } from './access-views.ts';
import { parseLeafNumber } from './audit-filter.ts';
import { badField } from './body-fields.ts';
import type { Services } from './services.ts';

/** What was decided in the past, by which rule and with which credential: as the log tells it, not as it would be decided now. */
export const explainDecision = route(
  'GET',
  '/v1/audit/decisions/{event}',
  onOrg('audit.read'),
  async (exchange, { event }, services: Services, caller) => {
    const found = await findEvent(event as string, services, caller);
    if (found?.event === undefined) throw new QuasarError('audit_event_not_found', { op: 'audit.findEvent' });
    const place = decidingPlace(found.event);
    const ruleSet = place && (await findRuleSet(place, services, caller));
    replyJson(exchange, 200, decisionView(found.leaf, explainEvent(found.event, ruleSet)));
  },
);

/** By its id, or by its number in the log. */
function findEvent(text: string, { audit }: Services, caller: Caller): Promise<LoggedEvent | undefined> {
  if (isId(text)) return audit.log.findEvent(caller, text as AuditEventId);
  if (/^\d+$/.test(text)) return audit.log.findLeaf(caller, parseLeafNumber(text, 'event'));
  throw badField('event', 'must be the id of an event, or its number in the log');
}

/** Versions are never changed or removed. */
async function findRuleSet(place: EventRulesVersion, { access }: Services, caller: Caller): Promise<RuleChange | undefined> {
  const page = await access.rules.listRuleChanges(caller, thingOf(place), { limit: 1, after: String(place.version + 1) });
  return page.items.find(({ version }) => version === place.version);
}

function thingOf({ kind, id }: EventRulesVersion): RuledThing {
  if (kind === 'document') return { kind, documentId: id as DocumentId };
  return kind === 'folder' ? { kind, folderId: id as FolderId } : { kind };
}

function decisionView(leaf: number, { event, ruleSet, lines }: EventExplanation): Record<string, unknown> {
  return { leaf, event, rules: ruleSet === undefined ? null : ruleChangeView(ruleSet), lines };
}
