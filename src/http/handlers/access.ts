import { type Capability, parseCapability } from '../../core/capability.ts';
import { replyJson } from '../reply.ts';
import { type Route, route } from '../router.ts';
import { explanationView } from './access-views.ts';
import { badField } from './body-fields.ts';
import { explainedAccess } from './explained-credential.ts';
import { ruledPlaces } from './ruled-places.ts';
import type { Services } from './services.ts';

/** Why a principal may, or may not, do something to a document, a folder or in the org. */
export const explanationRoutes: readonly Route<Services>[] = ruledPlaces.map(({ path, access, thingOf }) =>
  route('GET', `${path}/access`, access, async (exchange, params, services: Services, caller) => {
    const thing = thingOf(params, caller);
    const query = new URLSearchParams(exchange.query);
    const action = actionOf(query);
    const asked = await explainedAccess(query, caller, services);
    const explanation = await services.gate.explain(caller, thing, { ...asked, action });
    replyJson(exchange, 200, explanationView(asked.principalId, action, explanation));
  }),
);

function actionOf(query: URLSearchParams): Capability {
  const name = query.get('action');
  if (name === null) throw badField('action', 'must name a capability, such as doc.read');
  return parseCapability(name);
}
