-- What exists: blobs and their manifests (graviton), documents and their versions (quasar). One small file is three rows
-- and four index entries. Rows name principals without a foreign key: its check would lock one principal's row for every
-- commit; principals are never deleted.

CREATE DOMAIN core.digest AS bytea CHECK (octet_length(VALUE) = 32);

CREATE TABLE graviton.blob (
  org_id uuid NOT NULL,
  key core.digest NOT NULL,
  size bigint NOT NULL CHECK (size BETWEEN 0 AND 1099511627776),
  sha256 core.digest NOT NULL,
  chunker text NOT NULL,
  manifest_root core.digest NOT NULL,
  block_count integer NOT NULL CHECK (block_count >= 0),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, key)
);

-- Pages of 4,096 entries as docs/format/manifest-v1.md lays them out, for blobs of two blocks or more.
CREATE TABLE graviton.manifest_page (
  org_id uuid NOT NULL,
  blob_key core.digest NOT NULL,
  page_index integer NOT NULL CHECK (page_index >= 0),
  bytes bytea NOT NULL,
  PRIMARY KEY (org_id, blob_key, page_index),
  FOREIGN KEY (org_id, blob_key) REFERENCES graviton.blob (org_id, key)
);
-- Digests do not compress; trying costs time.
ALTER TABLE graviton.manifest_page ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE quasar.document (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  -- The version labelled CURRENT.
  current_version_id uuid NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, id)
);
-- Version ids grow with time: this lists documents by their latest change.
CREATE INDEX document_by_change ON quasar.document (org_id, current_version_id);

CREATE TABLE quasar.version (
  org_id uuid NOT NULL,
  document_id uuid NOT NULL,
  id uuid NOT NULL,
  parents uuid[] NOT NULL,
  blob_key core.digest NOT NULL,
  filename text,
  content_type text NOT NULL,
  reason text,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, document_id, id),
  FOREIGN KEY (org_id, document_id) REFERENCES quasar.document (org_id, id),
  FOREIGN KEY (org_id, blob_key) REFERENCES graviton.blob (org_id, key)
);

-- A document and its first version need each other, hence the check at commit.
ALTER TABLE quasar.document
  ADD FOREIGN KEY (org_id, id, current_version_id) REFERENCES quasar.version (org_id, document_id, id)
  DEFERRABLE INITIALLY DEFERRED;

-- Labels but CURRENT: a name points at one version of the document, and may move.
CREATE TABLE quasar.label (
  org_id uuid NOT NULL,
  document_id uuid NOT NULL,
  name text NOT NULL CHECK (name <> 'CURRENT' AND length(name) BETWEEN 1 AND 200),
  version_id uuid NOT NULL,
  PRIMARY KEY (org_id, document_id, name),
  FOREIGN KEY (org_id, document_id, version_id) REFERENCES quasar.version (org_id, document_id, id)
);

DO $$
DECLARE
  at regclass;
BEGIN
  FOREACH at IN ARRAY ARRAY['graviton.blob', 'graviton.manifest_page', 'quasar.document', 'quasar.version', 'quasar.label']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', at);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', at);
    EXECUTE format('CREATE POLICY app_org ON %s TO quasar_app USING (org_id = core.current_org())', at);
  END LOOP;
END
$$;
GRANT SELECT, INSERT ON graviton.blob, graviton.manifest_page, quasar.version TO quasar_app;
GRANT SELECT, INSERT, UPDATE ON quasar.document, quasar.label TO quasar_app;
