import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId } from '../../src/core/ids.ts';
import { actorIn } from '../helpers/actor.ts';
import { MemorySessionStore } from '../helpers/memory-session-store.ts';
import { standingClock } from '../helpers/standing-clock.ts';
import { sessionStoreContract } from './session-store.contract.ts';

const clock = standingClock();
const scopeOf = () => actorIn({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });
sessionStoreContract(t, { store: new MemorySessionStore(clock), clock, scope: scopeOf(), stranger: scopeOf() });
