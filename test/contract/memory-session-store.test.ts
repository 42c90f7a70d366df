import t from 'tap';
import { systemClock } from '../../src/core/clock.ts';
import { newId, type OrgId, type PrincipalId } from '../../src/core/ids.ts';
import { actorIn } from '../helpers/actor.ts';
import { MemorySessionStore } from '../helpers/memory-session-store.ts';
import { notedInMemory } from '../helpers/noted-events.ts';
import { standingClock } from '../helpers/standing-clock.ts';
import { sessionStoreContract } from './session-store.contract.ts';

const clock = standingClock();
const scopeOf = () => actorIn({ orgId: newId<OrgId>(systemClock), principalId: newId<PrincipalId>(systemClock) });
const store = new MemorySessionStore(clock);
sessionStoreContract(t, { store, clock, scope: scopeOf(), stranger: scopeOf(), noted: notedInMemory(store) });
