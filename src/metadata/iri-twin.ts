import type { Iri } from './iri.ts';

/**
 * Equal for IRIs that people would take for the same: that differ in case, or in Greek and Cyrillic letters that look like Latin
 * ones. A registry keeps it unique, so that a name cannot be registered beside its twin. It is no IRI and is never shown.
 */
export function twinKey(iri: Iri): string {
  return iri
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\p{Script=Greek}\p{Script=Cyrillic}]/gu, (letter) => LATIN.get(letter) ?? letter);
}

/** Either case of the letter looks like either case of the Latin one. */
const LOOK_ALIKES = [
  ['авекмнорстухіјѕһԛԝԁӏ', 'abekmhopctyxijshqwdl'],
  ['αβεζηικμνορτυχϳ', 'abezhikmvoptuxj'],
] as const;

const LATIN: ReadonlyMap<string, string> = new Map(
  LOOK_ALIKES.flatMap(([letters, latin]) => [...letters].map((letter, index) => [letter, latin[index] as string] as const)),
);
