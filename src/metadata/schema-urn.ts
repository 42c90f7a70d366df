import { QuasarError } from '../core/errors.ts';
import { type Iri, readIri } from './iri.ts';
import { compareVersions, readVersion, type Version } from './semantic-version.ts';
import { TextFault } from './text-fault.ts';

/** The name of one version of a schema: `urn:quasar:schema:<name>@<version>`, or any other IRI that ends in `@<version>`. */
export interface SchemaUrn {
  /** All of it, normalised. */
  readonly urn: Iri;
  /** What stands before the "@": what the versions of one schema share. */
  readonly series: Iri;
  readonly version: Version;
}

export function readSchemaUrn(text: string): SchemaUrn | TextFault {
  const iri = readIri(text);
  if (iri instanceof TextFault) return iri;
  const at = iri.lastIndexOf('@');
  if (at < 0) return new TextFault('has no "@" and version at its end');
  const series = iri.slice(0, at) as Iri;
  if (series.startsWith(OURS) && !NAME.test(series.slice(OURS.length))) {
    return new TextFault('has a name other than lower-case words with ".", "_", "-" or ":" between them');
  }
  const version = readVersion(iri.slice(at + 1));
  return version instanceof TextFault ? version : { urn: iri, series, version };
}

/** @throws QuasarError `bad_parameter` that names the parameter. */
export function parseSchemaUrn(text: string, parameter: string): SchemaUrn {
  const urn = readSchemaUrn(text);
  if (!(urn instanceof TextFault)) return urn;
  throw new QuasarError('bad_parameter', {
    op: 'metadata.parseSchemaUrn',
    message: `${parameter} ${urn.reason}.`,
    details: { parameter },
  });
}

/** By series in code-unit order, then from the oldest version to the newest. */
export function compareSchemaUrns(a: SchemaUrn, b: SchemaUrn): number {
  if (a.series !== b.series) return a.series < b.series ? -1 : 1;
  return compareVersions(a.version, b.version);
}

const OURS = 'urn:quasar:schema:';
const NAME = /^[a-z0-9]+(?:[._:-][a-z0-9]+)*$/;
