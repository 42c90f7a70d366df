import { limits } from '../core/limits.ts';
import type { MetadataLayer } from '../core/metadata-layer.ts';
import { type Iri, readIri } from './iri.ts';
import { twinKey } from './iri-twin.ts';
import { requireWithinBounds } from './json-measure.ts';
import { formatPointer } from './json-pointer.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import { boundFaults, type MetadataFault, metadataInvalid } from './metadata-fault.ts';
import { type Provenance, parseProvenance } from './provenance.ts';
import { readSchemaUrn, type SchemaUrn } from './schema-urn.ts';
import { StrictRecord } from './strict-record.ts';
import { TextFault } from './text-fault.ts';

/** One namespace of a document, as stored and shown. */
export interface MetadataEntry {
  readonly schema: { readonly $id: Iri };
  /** Quarantined: kept although it does not fit its schema. Only derived metadata can be; it is not shown unless asked for. */
  readonly status: 'valid' | 'quarantined';
  readonly data: JsonObject;
  /** What does not fit, at most 100; none for valid data. */
  readonly errors: readonly MetadataFault[];
}

export type Namespaces = Readonly<Record<Iri, MetadataEntry>>;

/** What a client hands in for one namespace. Status and errors are for us to find. */
export interface SubmittedEntry {
  readonly namespace: Iri;
  /** Undefined: the registry's current schema of the namespace. */
  readonly schema: SchemaUrn | undefined;
  readonly data: JsonObject;
}

export interface SubmittedBundle {
  readonly layer: MetadataLayer;
  /** Sorted by namespace; no two are twins of each other. */
  readonly entries: readonly SubmittedEntry[];
  /** There exactly when the layer is derived. */
  readonly provenance: Provenance | undefined;
}

/**
 * Reads `{mode, bundle: {[iri]: {schema?: {$id}, data}}, provenance?}` out of strict JSON.
 * @throws QuasarError `metadata_invalid` with the pointers of what is wrong; `metadata_too_large` for a namespace beyond bounds.
 */
export function parseBundle(request: {
  readonly mode: JsonValue | undefined;
  readonly bundle: JsonValue | undefined;
  readonly provenance: JsonValue | undefined;
}): SubmittedBundle {
  const layer = parseLayer(request.mode);
  const provenance = provenanceOf(layer, request.provenance);
  if (!isJsonObject(request.bundle)) throw refuse('/bundle', 'type', 'A map of namespace IRIs is wanted here.');
  const members = Object.entries(request.bundle);
  if (members.length === 0 || members.length > limits.metadataNamespacesMax) {
    throw refuse('/bundle', 'maxProperties', `Between 1 and ${limits.metadataNamespacesMax} namespaces are wanted here.`);
  }
  const entries = members.map(([name, value]) => parseEntry(name, value));
  refuseTwins(entries);
  return { layer, entries: entries.toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1)), provenance };
}

/** @throws QuasarError `metadata_invalid`; the mode says for which layer the metadata is. */
export function parseLayer(mode: JsonValue | undefined): MetadataLayer {
  if (mode === 'canonical' || mode === 'derived') return mode;
  throw refuse('/mode', mode === undefined ? 'required' : 'enum', 'One of canonical, derived is wanted here.');
}

/**
 * Derived metadata without a provenance is refused, and so is canonical metadata with one: nobody would look at it there.
 * @throws QuasarError `metadata_invalid`.
 */
export function provenanceOf(layer: MetadataLayer, value: JsonValue | undefined): Provenance | undefined {
  if (layer === 'derived') return parseProvenance(value);
  if (value === undefined) return undefined;
  throw refuse('/provenance', 'provenance', 'What has a provenance is derived metadata, not canonical.');
}

/**
 * The entry to store, once the data has been validated.
 * @throws QuasarError `metadata_invalid` for canonical data with faults: it is never stored.
 */
export function entryOf(options: {
  readonly layer: MetadataLayer;
  readonly namespace: Iri;
  readonly schema: Iri;
  readonly data: JsonObject;
  readonly faults: readonly MetadataFault[];
}): MetadataEntry {
  const { layer, namespace, schema, data } = options;
  if (options.faults.length > 0 && layer === 'canonical') {
    const prefix = formatPointer([namespace, 'data']);
    throw metadataInvalid(
      op,
      options.faults.map((fault) => ({ ...fault, path: prefix + fault.path })),
    );
  }
  const errors = boundFaults(options.faults);
  return { schema: { $id: schema }, status: errors.length === 0 ? 'valid' : 'quarantined', data, errors };
}

/** What is shown to those who do not ask for quarantined metadata. */
export function withoutQuarantined(namespaces: Namespaces): Namespaces {
  return Object.fromEntries(Object.entries(namespaces).filter(([, entry]) => entry.status === 'valid'));
}

function parseEntry(name: string, value: JsonValue): SubmittedEntry {
  const path = ['bundle', name];
  const namespace = readIri(name);
  if (namespace instanceof TextFault) throw refuse(formatPointer(path), 'namespace', `The namespace ${namespace.reason}.`);
  const entry = new StrictRecord(value, { path, op, names: ['schema', 'data'] });
  const data = entry.object('data');
  requireWithinBounds(data, op);
  return { namespace, schema: entry.has('schema') ? schemaOf(entry) : undefined, data };
}

function schemaOf(entry: StrictRecord): SchemaUrn {
  const schema = entry.inner('schema', ['$id']);
  const urn = readSchemaUrn(schema.text('$id', limits.iriMax));
  if (urn instanceof TextFault) throw schema.fault('$id', 'schema', `The schema ${urn.reason}.`);
  return urn;
}

/** Two names for one namespace in one bundle: one of them would win, and nobody would know which. */
function refuseTwins(entries: readonly SubmittedEntry[]): void {
  const seen = new Map<string, Iri>();
  for (const { namespace } of entries) {
    const key = twinKey(namespace);
    const other = seen.get(key);
    if (other !== undefined)
      throw refuse(
        formatPointer(['bundle', namespace]),
        'namespace',
        `The namespace is also here as ${other}, or looks like it.`,
      );
    seen.set(key, namespace);
  }
}

function refuse(path: string, code: string, message: string) {
  return metadataInvalid(op, [{ path, code, message }]);
}

const op = 'metadata.parseBundle';
