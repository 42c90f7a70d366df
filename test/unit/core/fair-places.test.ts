import fc from 'fast-check';
import t from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { FairPlaces, type TakenPlace } from '../../../src/core/fair-places.ts';
import { newId, type OrgId, type PrincipalId, type Scope } from '../../../src/core/ids.ts';

const org = () => newId<OrgId>(systemClock);
const member = (orgId: OrgId): Scope => ({ orgId, principalId: newId<PrincipalId>(systemClock) });

function fill(places: FairPlaces, owner: Scope): TakenPlace[] {
  const taken: TakenPlace[] = [];
  for (let place = places.take(owner); typeof place !== 'string'; place = places.take(owner)) taken.push(place);
  return taken;
}

t.test('one principal takes all open places and no other', async (t) => {
  const places = new FairPlaces({ open: 10, kept: 4, few: 2 });
  const greedy = member(org());
  const taken = fill(places, greedy);
  t.equal(taken.length, 10);
  t.equal(places.take(greedy), 'principal');
  taken[0]?.free();
  taken[0]?.free();
  t.equal(places.taken, 9, 'a place is given back once');
  t.not(typeof places.take(greedy), 'string');
});

t.test('another principal of the same org, and another org, still find places', async (t) => {
  const places = new FairPlaces({ open: 10, kept: 4, few: 2 });
  const crowded = org();
  fill(places, member(crowded));
  t.equal(fill(places, member(crowded)).length, 2, 'the first half of the kept ones');
  t.equal(places.take(member(crowded)), 'org');
  const stranger = member(org());
  t.equal(fill(places, stranger).length, 2);
  t.equal(places.take(member(org())), 'all');
  t.equal(places.taken, places.count);
});

t.test('without kept places all are open', async (t) => {
  const places = new FairPlaces({ open: 3, kept: 0, few: 1 });
  t.equal(fill(places, member(org())).length, 3);
  t.equal(places.take(member(org())), 'all');
});

t.test('whatever one org does, another that holds nothing finds a place', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 30 }), { maxLength: 200 }), (choices) => {
      const places = new FairPlaces({ open: 6, kept: 4, few: 2 });
      const orgId = org();
      const members = Array.from({ length: 8 }, () => member(orgId));
      const taken: TakenPlace[] = [];
      for (const choice of choices) {
        const place = choice < members.length ? places.take(members[choice] as Scope) : undefined;
        if (place === undefined) taken.splice(choice % (taken.length + 1), 1)[0]?.free();
        else if (typeof place !== 'string') taken.push(place);
        if (places.refusal(member(org())) !== undefined) return false;
      }
      for (const place of taken) place.free();
      return places.taken === 0;
    }),
  );
});
