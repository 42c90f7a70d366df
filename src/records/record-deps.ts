import type { Catalog } from '../catalog/catalog.ts';
import type { MetadataStore } from '../catalog/metadata-store.ts';
import type { MigrationStore } from '../catalog/migration-store.ts';
import type { RefStore } from '../catalog/ref-store.ts';
import type { SchemaStore } from '../catalog/schema-store.ts';
import type { Clock } from '../core/clock.ts';
import type { SchemaValidator } from '../metadata/schema-validator.ts';

/** What the records of an org are read and changed with. */
export interface RecordDeps {
  readonly catalog: Pick<Catalog, 'findVersion'>;
  readonly metadata: MetadataStore;
  readonly schemas: SchemaStore;
  readonly refs: RefStore;
  readonly migrations: MigrationStore;
  readonly validator: Pick<SchemaValidator, 'compile' | 'validate'>;
  readonly clock: Clock;
}
