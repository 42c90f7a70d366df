import t from 'tap';
import { median, medianOfKnown, percentile } from '../../../bench/harness/statistics.ts';

t.test('the median of an even number of values is the mean of the two in the middle', async (t) => {
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([9, 1, 5]), 5);
});

t.test('what was not measured has no part in a median', async (t) => {
  t.equal(medianOfKnown([undefined, 3, undefined]), 3);
  t.equal(medianOfKnown([undefined]), undefined);
});

t.test('a percentile is one of the values, the least that enough of them do not exceed', async (t) => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  t.equal(percentile(hundred, 0.1), 10);
  t.equal(percentile(hundred, 0.99), 99);
  t.equal(percentile(hundred, 1), 100);
  t.equal(percentile([7], 0), 7);
  t.equal(percentile([7], 0.99), 7);
});
