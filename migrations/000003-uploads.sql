-- Upload sessions, and what idempotency keys stand for.

CREATE TABLE quasar.upload (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  principal_id uuid NOT NULL,
  document_id uuid NOT NULL,
  new_document boolean NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'sealing', 'committed', 'failed', 'expired')),
  -- Raised by every take-over; a writer that names an older one is refused.
  fence bigint NOT NULL CHECK (fence >= 0),
  -- Durable bytes: those of the blocks in upload_checkpoint, then of the piece.
  durable_offset bigint NOT NULL CHECK (durable_offset >= 0),
  block_count integer NOT NULL CHECK (block_count >= 0),
  piece_id core.digest,
  piece_size integer CHECK (piece_size > 0),
  size bigint CHECK (size >= durable_offset),
  filename text,
  content_type text NOT NULL,
  announced_blake3 core.digest,
  announced_sha256 core.digest,
  chunker text NOT NULL,
  idempotency_key text,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- The answer to repeat, once committed.
  version_id uuid,
  fingerprint text,
  PRIMARY KEY (org_id, id),
  CHECK ((piece_id IS NULL) = (piece_size IS NULL)),
  CHECK ((state = 'committed') = (version_id IS NOT NULL AND fingerprint IS NOT NULL)),
  FOREIGN KEY (org_id, document_id, version_id) REFERENCES quasar.version (org_id, document_id, id)
);
CREATE UNIQUE INDEX upload_live ON quasar.upload (org_id, document_id) WHERE state IN ('open', 'sealing');

-- The durable block list, appended to: entries of 36 bytes, block id and size as u32 little-endian, as in manifest pages.
CREATE TABLE quasar.upload_checkpoint (
  org_id uuid NOT NULL,
  upload_id uuid NOT NULL,
  from_block integer NOT NULL CHECK (from_block >= 0),
  blocks bytea NOT NULL CHECK (octet_length(blocks) > 0 AND octet_length(blocks) % 36 = 0),
  PRIMARY KEY (org_id, upload_id, from_block),
  FOREIGN KEY (org_id, upload_id) REFERENCES quasar.upload (org_id, id)
);
ALTER TABLE quasar.upload_checkpoint ALTER COLUMN blocks SET STORAGE EXTERNAL;

-- A key stands for what its first request made: a version, or an upload session.
CREATE TABLE quasar.idempotency (
  org_id uuid NOT NULL,
  principal_id uuid NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  fingerprint text NOT NULL,
  document_id uuid NOT NULL,
  version_id uuid,
  upload_id uuid,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, principal_id, key),
  CHECK ((version_id IS NULL) <> (upload_id IS NULL))
);
CREATE INDEX idempotency_by_expiry ON quasar.idempotency (org_id, expires_at);

DO $$
DECLARE
  at regclass;
BEGIN
  FOREACH at IN ARRAY ARRAY['quasar.upload', 'quasar.upload_checkpoint', 'quasar.idempotency']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', at);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', at);
    EXECUTE format('CREATE POLICY app_org ON %s TO quasar_app USING (org_id = core.current_org())', at);
  END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE ON quasar.upload TO quasar_app;
GRANT SELECT, INSERT, DELETE ON quasar.upload_checkpoint TO quasar_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON quasar.idempotency TO quasar_app;
