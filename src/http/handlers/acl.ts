import { type AccessChange, documentClassOf } from '../../access/access-change.ts';
import { givenBy } from '../../access/given-by.ts';
import { parseRules } from '../../access/parse-rules.ts';
import type { AccessRule, SubjectId } from '../../access/rule.ts';
import type { RuledThing, RuleSet, RulesOutcome } from '../../access/rule-store.ts';
import { QuasarError } from '../../core/errors.ts';
import { standsAbove } from '../../core/stands-above.ts';
import type { Caller } from '../caller.ts';
import { matchesAny } from '../conditional.ts';
import type { Exchange } from '../edge.ts';
import { readJsonBody } from '../json-body.ts';
import { replyJson, replyTagged } from '../reply.ts';
import { evaluating, type Route, route } from '../router.ts';
import { parseRulesBody } from './access-bodies.ts';
import { ruleChangeView, rulesView } from './access-views.ts';
import { requireHeldOn } from './held-capabilities.ts';
import { pageOf } from './request-bodies.ts';
import { notFound, type RuledPlace, ruledPlaces } from './ruled-places.ts';
import type { Services } from './services.ts';

/** The access rules of documents, folders and orgs. */
export const aclRoutes: readonly Route<Services>[] = ruledPlaces.flatMap((place) => [
  getRules(place),
  putRules(place),
  listRuleChanges(place),
]);

function getRules({ path, access, thingOf }: RuledPlace): Route<Services> {
  return route('GET', `${path}/acl`, access, async (exchange, params, services, caller) => {
    const rules = await findRules(thingOf(params, caller), services, caller);
    replyTagged(exchange, rulesEtagOf(rules), rulesView(rules));
  });
}

function putRules({ path, access, thingOf }: RuledPlace): Route<Services> {
  return evaluating(
    ['if-match'],
    route('PUT', `${path}/acl`, access, async (exchange, params, services, caller) => {
      const thing = thingOf(params, caller);
      const ifMatch = exchange.header('if-match')?.trim();
      if (ifMatch === undefined || ifMatch === '*') throw new QuasarError('precondition_required', { op: OP });
      const wish = parseRulesBody(await readJsonBody(exchange, { optional: false }));
      const current = await findRules(thing, services, caller);
      if (!matchesAny(ifMatch, [rulesEtagOf(current)])) throw rulesChanged(current.version);
      const ids = new Set(current.rules.map(({ id }) => id));
      const rules = parseRules(wish, { clock: services.clock, current: ids, pointer: '/rules' });
      await requireHeldOn(thing, caller, givenBy(rules, current.rules), services, OP);
      const expectedVersion = current.version;
      const atMs = services.clock.now();
      const outcome = await services.access.rules.replaceRules(caller, thing, { rules, expectedVersion, atMs });
      refuseUnreplaced(outcome, thing, rules);
      services.gate.changed(changeOf(thing, caller));
      replyRules(exchange, { version: outcome.version, rules });
    }),
  );
}

function listRuleChanges({ path, access, thingOf }: RuledPlace): Route<Services> {
  return route('GET', `${path}/acl/changes`, access, async (exchange, params, services, caller) => {
    const thing = thingOf(params, caller);
    const purpose = `acl:${exchange.path}`;
    const { limit, after } = pageOf(exchange, services.cursors, purpose);
    const page = await services.access.rules.listRuleChanges(caller, thing, { limit, after });
    replyJson(exchange, 200, {
      items: page.items.map(ruleChangeView),
      nextCursor: page.next === undefined ? null : services.cursors.seal(purpose, page.next),
    });
  });
}

function changeOf(thing: RuledThing, { orgId }: Caller): AccessChange {
  if (thing.kind !== 'document') return { orgId, kind: 'rules' };
  return { orgId, kind: 'document', documentClass: documentClassOf(thing.documentId) };
}

async function findRules(thing: RuledThing, services: Services, caller: Caller): Promise<RuleSet> {
  const found = await services.access.rules.findRules(caller, thing);
  if (found === undefined) throw notFound(thing, OP);
  return found;
}

function refuseUnreplaced(
  outcome: RulesOutcome,
  thing: RuledThing,
  rules: readonly AccessRule[],
): asserts outcome is Extract<RulesOutcome, { kind: 'replaced' }> {
  switch (outcome.kind) {
    case 'place_missing':
      // It was there a moment ago, and documents do not vanish.
      throw thing.kind === 'document' ? new QuasarError('document_disposed', { op: OP }) : notFound(thing, OP);
    case 'rules_changed':
      throw rulesChanged(outcome.version);
    case 'subject_missing': {
      const { subjectId } = outcome;
      throw new QuasarError('subject_not_found', { op: OP, details: { subjectId, pointer: pointerTo(subjectId, rules) } });
    }
    case 'last_administrator':
      throw new QuasarError(outcome.kind, { op: OP });
    case 'stands_above':
      throw standsAbove(outcome.subjectId, rules, OP);
    case 'replaced':
  }
}

function rulesChanged(version: number): QuasarError {
  return new QuasarError('rules_changed', { op: OP, details: { version } });
}

/** Of the first rule that names it. */
function pointerTo(subjectId: SubjectId, rules: readonly AccessRule[]): string {
  return `/rules/${rules.findIndex(({ principals }) => principals.includes(subjectId))}/principals`;
}

/** After a change the conditions of the request have been met: they are none of this answer. */
function replyRules(exchange: Exchange, rules: RuleSet): void {
  replyJson(exchange, 200, rulesView(rules), ['ETag', rulesEtagOf(rules)]);
}

function rulesEtagOf({ version }: RuleSet): string {
  return `"a-${version}"`;
}

const OP = 'acl.set';
