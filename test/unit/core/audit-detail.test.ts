import t from 'tap';
import { auditDetail, shorten } from '../../../src/core/audit-detail.ts';
import { canonicalJsonBytes } from '../../../src/core/canonical-json.ts';
import { limits } from '../../../src/core/limits.ts';

const sizeOf = (detail: Record<string, unknown>) => canonicalJsonBytes(detail).byteLength;

t.test('what is short is said as it is, and what is absent is not', async (t) => {
  const members = { label: 'filed', from: null, size: 7, made: true, reason: undefined, labels: ['a', 'b'] };
  const { reason: _, ...said } = members;
  t.strictSame(auditDetail(members), said);
});

t.test('the longest texts fit, whatever they are made of', async (t) => {
  for (const character of ['a', '"', '\u0001', 'ä', '€', '𝄞']) {
    const text = character.repeat(10_000);
    const two = auditDetail({ text, other: text, items: Array.from({ length: 1000 }, () => ({ name: text, id: 'x' })) });
    t.ok(sizeOf(two) <= limits.auditDetailMax, `${sizeOf(two)} bytes`);
    t.ok(sizeOf(auditDetail({ a: text, b: text, c: text, d: text })) <= limits.auditDetailMax);
    t.strictSame(new Set(two.text as string), new Set([character, '…']), 'cut behind a whole character');
  }
});

t.test('a list keeps its first items and counts the others', async (t) => {
  const names = Array.from({ length: 500 }, (_, n) => `name ${n}`);
  const { names: kept, namesLeftOut: leftOut } = auditDetail({ names }) as { names: string[]; namesLeftOut: number };
  t.strictSame(kept, names.slice(0, kept.length));
  t.equal(kept.length + leftOut, 500);
});

t.test('a text is shortened by characters, not by their halves', async (t) => {
  t.equal(shorten('𝄞𝄞𝄞', 3), '𝄞𝄞𝄞');
  t.equal(shorten('𝄞𝄞𝄞', 2), '𝄞…');
});
