import t from 'tap';
import { evaluateConditions, rangeApplies } from '../../../src/http/conditional.ts';

const ETAG = '"b3-aa"';

function outcome(method: string, ifMatch?: string, ifNoneMatch?: string): string {
  return evaluateConditions(method, { ifMatch, ifNoneMatch }, ETAG);
}

t.test('If-None-Match compares weakly and answers 304 to reads', async (t) => {
  const hits = [ETAG, `W/${ETAG}`, '*', ` ${ETAG} `, `"x", ${ETAG}`, `"x",,W/${ETAG},`, `"a,b", ${ETAG}`];
  for (const value of hits) t.equal(outcome('GET', undefined, value), 'not_modified', value);
  t.equal(outcome('HEAD', undefined, ETAG), 'not_modified');
  t.equal(outcome('PUT', undefined, ETAG), 'precondition_failed');
  for (const value of ['"x"', '', 'b3-aa', '"b3-aa', `"x" ${ETAG}`, '**', 'w/"b3-aa"'])
    t.equal(outcome('GET', undefined, value), 'proceed', value);
});

t.test('If-Match compares strongly', async (t) => {
  for (const value of [ETAG, '*', `"x", ${ETAG}`]) t.equal(outcome('GET', value), 'proceed', value);
  for (const value of ['"x"', `W/${ETAG}`, '', 'b3-aa', `${ETAG} "x"`])
    t.equal(outcome('GET', value), 'precondition_failed', value);
});

t.test('If-Match goes before If-None-Match', async (t) => {
  t.equal(outcome('GET', '"x"', ETAG), 'precondition_failed');
  t.equal(outcome('GET', ETAG, ETAG), 'not_modified');
});

t.test('If-Range needs the very ETag', async (t) => {
  t.equal(rangeApplies(undefined, ETAG), true);
  t.equal(rangeApplies(ETAG, ETAG), true);
  for (const value of [`W/${ETAG}`, '"x"', '*', '', 'Sat, 21 Nov 2026 09:00:00 GMT', `${ETAG}, "x"`])
    t.equal(rangeApplies(value, ETAG), false, value);
});
