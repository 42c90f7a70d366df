import { QuasarError } from './errors.ts';

/** Rules that shut out somebody above. He is named when the rules name him: who is in a group is not for everybody to know. */
export function standsAbove(
  subjectId: string,
  rules: readonly { readonly principals: readonly string[] }[],
  op: string,
): QuasarError {
  const named = rules.some(({ principals }) => principals.includes(subjectId));
  const whom = named ? `principal ${subjectId}` : 'a member of a group';
  return new QuasarError('stands_above', {
    op,
    message: `A rule denies something to ${whom} who stands above: an administrator, or somebody who may change rules from farther out.`,
    details: named ? { subjectId } : {},
  });
}
