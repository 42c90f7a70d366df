import t from 'tap';
import { rateRulesOf, refusalRateOf } from '../../../src/access/rate-rules.ts';

const none = { requestsPerKey: 0, requestsPerOrg: 0, bytesPerKey: 0, bytesPerOrg: 0, refusalsPerAddress: 0, burstMs: 10_000 };

t.test('a rate of 0 limits nothing', async (t) => {
  const nothing = { requestsPerCredential: undefined, requestsPerOrg: undefined };
  t.same(rateRulesOf({ rates: none }), { ...nothing, bytesPerCredential: undefined, bytesPerOrg: undefined });
});

t.test('each rate has its burst, of at least one unit', async (t) => {
  const rates = {
    requestsPerKey: 50,
    requestsPerOrg: 200,
    bytesPerKey: 1024 ** 2,
    bytesPerOrg: 3,
    refusalsPerAddress: 7,
    burstMs: 1500,
  };
  t.same(rateRulesOf({ rates }), {
    requestsPerCredential: { perSecond: 50, burst: 75 },
    requestsPerOrg: { perSecond: 200, burst: 300 },
    bytesPerCredential: { perSecond: 1024 ** 2, burst: 1.5 * 1024 ** 2 },
    bytesPerOrg: { perSecond: 3, burst: 4.5 },
  });
  t.same(refusalRateOf({ rates }), { perSecond: 7, burst: 10.5 });
  t.equal(refusalRateOf({ rates: none }), undefined);
  t.equal(rateRulesOf({ rates: { ...none, requestsPerKey: 1, burstMs: 10 } }).requestsPerCredential?.burst, 1);
});
