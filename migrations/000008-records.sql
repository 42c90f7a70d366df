-- Records. What a version says of itself: JSON objects by namespace, in two layers. Canonical metadata is what somebody filed,
-- derived metadata what a program made of the bytes. Entries never change; a change makes a version with another bundle.

CREATE TABLE quasar.metadata (
  org_id uuid NOT NULL,
  document_id uuid NOT NULL,
  id uuid NOT NULL,
  layer text NOT NULL CHECK (layer IN ('canonical', 'derived')),
  namespace text NOT NULL CHECK (length(namespace) BETWEEN 1 AND 1000),
  -- URN of the schema it was checked against.
  schema text NOT NULL,
  status text NOT NULL CHECK (status IN ('valid', 'quarantined')),
  -- RFC 8785, so that its digest can be computed again; as text, since jsonb would not give back what it was given.
  data text NOT NULL,
  -- JSON: who made it of what, and what the schema has against it. Of derived metadata.
  provenance text CHECK ((provenance IS NOT NULL) = (layer = 'derived')),
  faults text CHECK ((faults IS NOT NULL) = (status = 'quarantined')),
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK (status = 'valid' OR layer = 'derived'),
  PRIMARY KEY (org_id, document_id, id),
  FOREIGN KEY (org_id, document_id) REFERENCES quasar.document (org_id, id)
);

-- Versions with the same metadata share a bundle; it has the id of the first of them.
CREATE TABLE quasar.bundle_entry (
  org_id uuid NOT NULL,
  document_id uuid NOT NULL,
  bundle_id uuid NOT NULL,
  layer text NOT NULL,
  namespace text NOT NULL,
  metadata_id uuid NOT NULL,
  PRIMARY KEY (org_id, document_id, bundle_id, layer, namespace),
  FOREIGN KEY (org_id, document_id, metadata_id) REFERENCES quasar.metadata (org_id, document_id, id)
);

-- Null: no metadata.
ALTER TABLE quasar.version ADD COLUMN bundle_id uuid;

-- What other systems call a document: at most one document of an org has a name.
CREATE TABLE quasar.external_ref (
  org_id uuid NOT NULL,
  system text COLLATE "C" NOT NULL CHECK (length(system) BETWEEN 1 AND 100),
  value text COLLATE "C" NOT NULL CHECK (length(value) BETWEEN 1 AND 1000),
  document_id uuid NOT NULL,
  -- RFC 8785; null for none.
  meta text,
  -- The upload that brought it along; null when it was set by itself.
  upload_id uuid,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, system, value),
  -- A commit takes the names before it makes the document, so that one that finds them taken leaves nothing.
  FOREIGN KEY (org_id, document_id) REFERENCES quasar.document (org_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX external_ref_by_document ON quasar.external_ref (org_id, document_id);

-- What an upload session brings along for its version: {"refs": [{system, value, meta}], "metadata": [quasar.metadata_change]}.
ALTER TABLE quasar.upload ADD COLUMN attached jsonb;

-- The current version the writer knows; null when it does not say.
ALTER TYPE quasar.commit_item ADD ATTRIBUTE expected_version_id uuid;

DO $$
DECLARE
  at regclass;
BEGIN
  FOREACH at IN ARRAY ARRAY['quasar.metadata', 'quasar.bundle_entry', 'quasar.external_ref']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', at);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', at);
    EXECUTE format('CREATE POLICY app_org ON %s TO quasar_app USING (org_id = core.current_org())', at);
  END LOOP;
END
$$;
GRANT SELECT, INSERT ON quasar.metadata, quasar.bundle_entry TO quasar_app;
GRANT SELECT, INSERT, DELETE ON quasar.external_ref TO quasar_app;

-- A version that comes after the current one of a locked document: CURRENT moves to it, and leaves its move.
CREATE FUNCTION quasar.place_version(p_document quasar.document, p_version quasar.version) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
  changed_at timestamptz := greatest(p_version.created_at, p_document.updated_at + interval '1 microsecond');
BEGIN
  INSERT INTO quasar.version SELECT p_version.*;
  UPDATE quasar.document SET current_version_id = p_version.id, updated_at = changed_at
   WHERE org_id = p_document.org_id AND id = p_document.id;
  INSERT INTO quasar.label_move (org_id, document_id, name, moved_at, version_id, previous_version_id, reason, moved_by)
  VALUES (p_document.org_id, p_document.id, 'CURRENT', changed_at, p_version.id, p_document.current_version_id, p_version.reason,
          p_version.created_by);
  RETURN changed_at;
END
$$;

-- One namespace of one layer. `metadata_id` null takes it out. `base_id` is the entry it replaces, null for none; `checked`
-- says whether that must hold.
CREATE TYPE quasar.metadata_change AS (
  layer text,
  namespace text,
  checked boolean,
  base_id uuid,
  metadata_id uuid,
  schema text,
  status text,
  data text,
  provenance text,
  faults text
);

-- The entries and the bundle of a version that is made of `p_previous` by changes; nothing of `p_replaced`, a layer, is kept.
CREATE FUNCTION quasar.make_bundle(p_version quasar.version, p_previous uuid, p_changes quasar.metadata_change[], p_replaced text)
  RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO quasar.metadata (org_id, document_id, id, layer, namespace, schema, status, data, provenance, faults, created_by, created_at)
  SELECT p_version.org_id, p_version.document_id, c.metadata_id, c.layer, c.namespace, c.schema, c.status, c.data, c.provenance, c.faults,
         p_version.created_by, p_version.created_at
    FROM unnest(p_changes) AS c WHERE c.metadata_id IS NOT NULL;
  INSERT INTO quasar.bundle_entry (org_id, document_id, bundle_id, layer, namespace, metadata_id)
  SELECT kept.org_id, kept.document_id, p_version.bundle_id, kept.layer, kept.namespace, kept.metadata_id FROM quasar.bundle_entry kept
   WHERE kept.org_id = p_version.org_id AND kept.document_id = p_version.document_id AND kept.bundle_id = p_previous
     AND kept.layer IS DISTINCT FROM p_replaced
     AND NOT EXISTS (SELECT FROM unnest(p_changes) AS c WHERE c.layer = kept.layer AND c.namespace = kept.namespace)
   UNION ALL
  SELECT p_version.org_id, p_version.document_id, p_version.bundle_id, c.layer, c.namespace, c.metadata_id
    FROM unnest(p_changes) AS c WHERE c.metadata_id IS NOT NULL;
END
$$;

-- Takes names for a document. False when another one has one of them; then none was taken.
CREATE FUNCTION quasar.take_refs(p_org uuid, p_principal uuid, p_document uuid, p_upload uuid, p_refs jsonb, p_at timestamptz)
  RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  missed boolean;
BEGIN
  -- Waits for a rival that has not committed yet. In order, so that two that want the same names do not wait for each other.
  INSERT INTO quasar.external_ref (org_id, system, value, document_id, meta, upload_id, created_by, created_at)
  SELECT p_org, wish.system, wish.value, p_document, wish.meta, p_upload, p_principal, p_at
    FROM jsonb_to_recordset(p_refs) AS wish (system text, value text, meta text) ORDER BY wish.system, wish.value
  ON CONFLICT (org_id, system, value) DO NOTHING;
  SELECT count(*) < jsonb_array_length(p_refs) INTO missed
    FROM jsonb_to_recordset(p_refs) AS wish (system text, value text)
    JOIN quasar.external_ref held ON held.org_id = p_org AND held.system = wish.system AND held.value = wish.value
   WHERE held.document_id = p_document;
  IF missed THEN
    DELETE FROM quasar.external_ref WHERE org_id = p_org AND document_id = p_document AND upload_id = p_upload;
  END IF;
  RETURN NOT missed;
END
$$;

-- As before, and further versions leave their moves behind, may name the version they come after, and keep its metadata but
-- for what their session brings along.
CREATE OR REPLACE FUNCTION quasar.commit_one(p_org uuid, p_principal uuid, i quasar.commit_item, p_pages bytea)
  RETURNS quasar.commit_outcome LANGUAGE plpgsql AS $$
DECLARE
  refusal quasar.commit_outcome;
  changed_at timestamptz := quasar.from_ms(i.created_at_ms);
  held quasar.document;
  made quasar.version;
  stored graviton.blob;
  attached jsonb;
  previous_bundle uuid;
BEGIN
  IF i.upload_id IS NOT NULL THEN
    refusal := quasar.check_upload(p_org, i);
    IF refusal.outcome IS NOT NULL THEN RETURN refusal; END IF;
  END IF;
  IF i.idempotency_key IS NOT NULL THEN
    refusal := quasar.claim_key(p_org, p_principal, i);
    IF refusal.outcome IS NOT NULL THEN RETURN refusal; END IF;
  END IF;

  SELECT upload.attached INTO attached FROM quasar.upload WHERE org_id = p_org AND id = i.upload_id;
  IF NOT quasar.take_refs(p_org, p_principal, i.document_id, i.upload_id, attached -> 'refs', changed_at) THEN
    refusal := ROW(i.n, 'ref_taken', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
  ELSIF i.new_document THEN
    INSERT INTO quasar.document (org_id, id, current_version_id, created_by, created_at, updated_at)
    VALUES (p_org, i.document_id, i.version_id, p_principal, changed_at, changed_at) ON CONFLICT (org_id, id) DO NOTHING;
    IF NOT FOUND THEN refusal := ROW(i.n, 'document_exists', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome; END IF;
  ELSE
    SELECT * INTO held FROM quasar.document WHERE org_id = p_org AND id = i.document_id FOR UPDATE;
    IF NOT FOUND THEN
      refusal := ROW(i.n, 'document_missing', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
    ELSIF i.expected_version_id <> held.current_version_id THEN
      refusal := ROW(i.n, 'version_changed', i.document_id, held.current_version_id, NULL, false)::quasar.commit_outcome;
    END IF;
  END IF;
  IF refusal.outcome IS NOT NULL THEN
    DELETE FROM quasar.idempotency WHERE org_id = p_org AND principal_id = p_principal AND key = i.idempotency_key;
    DELETE FROM quasar.external_ref WHERE org_id = p_org AND document_id = i.document_id AND upload_id = i.upload_id;
    RETURN refusal;
  END IF;

  stored := quasar.store_blob(p_org, i, p_pages);
  made.org_id := p_org;
  made.document_id := i.document_id;
  made.id := i.version_id;
  made.parents := CASE WHEN i.new_document THEN '{}' ELSE ARRAY[held.current_version_id] END;
  made.blob_key := decode(i.key, 'hex');
  made.filename := i.filename;
  made.content_type := i.content_type;
  made.reason := i.reason;
  made.created_by := p_principal;
  made.created_at := changed_at;
  SELECT bundle_id INTO previous_bundle FROM quasar.version
   WHERE org_id = p_org AND document_id = i.document_id AND id = held.current_version_id;
  made.bundle_id := CASE WHEN attached ? 'metadata' THEN made.id ELSE previous_bundle END;
  IF i.new_document THEN
    INSERT INTO quasar.version SELECT made.*;
  ELSE
    changed_at := quasar.place_version(held, made);
  END IF;
  IF attached ? 'metadata' THEN
    PERFORM quasar.make_bundle(made, previous_bundle,
      ARRAY(SELECT c FROM jsonb_populate_recordset(NULL::quasar.metadata_change, attached -> 'metadata') AS c), NULL);
  END IF;
  INSERT INTO quasar.label_move (org_id, document_id, name, moved_at, version_id, previous_version_id, reason, moved_by)
  SELECT p_org, i.document_id, wish.name, changed_at, i.version_id, label.version_id, i.reason, p_principal
    FROM (SELECT DISTINCT unnest(i.labels) AS name) AS wish
    LEFT JOIN quasar.label ON label.org_id = p_org AND label.document_id = i.document_id AND label.name = wish.name;
  INSERT INTO quasar.label (org_id, document_id, name, version_id)
  SELECT DISTINCT p_org, i.document_id, name, i.version_id FROM unnest(i.labels) AS name
  ON CONFLICT (org_id, document_id, name) DO UPDATE SET version_id = excluded.version_id;

  IF i.upload_id IS NOT NULL THEN
    UPDATE quasar.upload SET state = 'committed', version_id = i.version_id, fingerprint = i.upload_fingerprint
     WHERE org_id = p_org AND id = i.upload_id;
    DELETE FROM quasar.upload_checkpoint WHERE org_id = p_org AND upload_id = i.upload_id;
  END IF;
  RETURN ROW(i.n, 'committed', i.document_id, i.version_id, made.parents,
          (stored.chunker, stored.manifest_root) IS DISTINCT FROM (i.chunker, decode(i.manifest_root, 'hex')))::quasar.commit_outcome;
END
$$;

-- The next version of a document: the bytes of the current one, its metadata with the changes. With `p_replaced` the layer
-- named keeps nothing but what the changes put there. Outcomes: 'committed'; 'metadata_changed' with the namespace and the
-- entry that is there instead of the base; 'version_changed' with the current version; 'document_missing'.
CREATE FUNCTION quasar.commit_metadata(p_org uuid, p_principal uuid, p_document uuid, p_version uuid, p_expected uuid,
                                       p_changes jsonb, p_replaced text, p_reason text, p_now_ms bigint)
  RETURNS TABLE (outcome text, namespace text, found_id uuid) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  held quasar.document;
  made quasar.version;
  previous_bundle uuid;
  change quasar.metadata_change;
  changes quasar.metadata_change[];
  there uuid;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  SELECT array_agg(c) INTO changes FROM jsonb_populate_recordset(NULL::quasar.metadata_change, p_changes) AS c;
  SELECT * INTO held FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR UPDATE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'document_missing', NULL::text, NULL::uuid;
    RETURN;
  END IF;
  IF p_expected <> held.current_version_id THEN
    RETURN QUERY SELECT 'version_changed', NULL::text, held.current_version_id;
    RETURN;
  END IF;
  SELECT * INTO made FROM quasar.version v
   WHERE v.org_id = p_org AND v.document_id = p_document AND v.id = held.current_version_id;
  previous_bundle := made.bundle_id;
  FOREACH change IN ARRAY changes LOOP
    there := (SELECT e.metadata_id FROM quasar.bundle_entry e
               WHERE e.org_id = p_org AND e.document_id = p_document AND e.bundle_id = previous_bundle
                 AND e.layer = change.layer AND e.namespace = change.namespace);
    IF change.checked AND there IS DISTINCT FROM change.base_id THEN
      RETURN QUERY SELECT 'metadata_changed', change.namespace, there;
      RETURN;
    END IF;
  END LOOP;

  made.id := p_version;
  made.parents := ARRAY[held.current_version_id];
  made.bundle_id := p_version;
  made.reason := p_reason;
  made.created_by := p_principal;
  made.created_at := quasar.from_ms(p_now_ms);
  PERFORM quasar.place_version(held, made);
  PERFORM quasar.make_bundle(made, previous_bundle, changes, p_replaced);
  RETURN QUERY SELECT 'committed', NULL::text, NULL::uuid;
END
$$;

-- In the order of layers and namespaces.
CREATE FUNCTION quasar.list_metadata(p_org uuid, p_document uuid, p_version uuid)
  RETURNS TABLE (metadata_id uuid, layer text, namespace text, schema text, status text, data text, provenance text, faults text,
                 created_by uuid, created_at_ms double precision)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT m.id, m.layer, m.namespace, m.schema, m.status, m.data, m.provenance, m.faults, m.created_by,
                      quasar.to_ms(m.created_at)
    FROM quasar.version v
    JOIN quasar.bundle_entry e ON e.org_id = v.org_id AND e.document_id = v.document_id AND e.bundle_id = v.bundle_id
    JOIN quasar.metadata m ON m.org_id = e.org_id AND m.document_id = e.document_id AND m.id = e.metadata_id
   WHERE v.org_id = p_org AND v.document_id = p_document AND v.id = p_version
   ORDER BY m.layer, m.namespace COLLATE "C";
END
$$;

-- Names that differ only by what a reader overlooks are one name: whoever comes first has it.
CREATE TABLE quasar.namespace (
  org_id uuid NOT NULL,
  twin_key text COLLATE "C" NOT NULL,
  iri text COLLATE "C" NOT NULL,
  PRIMARY KEY (org_id, twin_key)
);
ALTER TABLE quasar.namespace ENABLE ROW LEVEL SECURITY;
ALTER TABLE quasar.namespace FORCE ROW LEVEL SECURITY;
CREATE POLICY app_org ON quasar.namespace TO quasar_app USING (org_id = core.current_org());
GRANT SELECT, INSERT ON quasar.namespace TO quasar_app;

-- Schemas, pinned: what a URN of an org means never changes, only whether new metadata may use it.
CREATE TABLE quasar.schema (
  org_id uuid NOT NULL,
  urn text COLLATE "C" NOT NULL CHECK (length(urn) BETWEEN 1 AND 1000),
  namespace text COLLATE "C" NOT NULL CHECK (length(namespace) BETWEEN 1 AND 1000),
  state text NOT NULL CHECK (state IN ('draft', 'active', 'deprecated', 'revoked')),
  -- RFC 8785, and SHA-256 of it.
  body text NOT NULL,
  digest core.digest NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  changed_by uuid NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, urn)
);
CREATE INDEX schema_by_namespace ON quasar.schema (org_id, namespace, urn);
ALTER TABLE quasar.schema ENABLE ROW LEVEL SECURITY;
ALTER TABLE quasar.schema FORCE ROW LEVEL SECURITY;
CREATE POLICY app_org ON quasar.schema TO quasar_app USING (org_id = core.current_org());
GRANT SELECT, INSERT ON quasar.schema TO quasar_app;
GRANT UPDATE (state, changed_by, changed_at) ON quasar.schema TO quasar_app;

-- How metadata goes from one schema to another, and back. The texts are RFC 8785.
CREATE TABLE quasar.schema_migration (
  org_id uuid NOT NULL,
  from_urn text COLLATE "C" NOT NULL,
  to_urn text COLLATE "C" NOT NULL,
  forward text NOT NULL,
  inverse text NOT NULL,
  -- The data it was shown for.
  samples text NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, from_urn, to_urn),
  FOREIGN KEY (org_id, from_urn) REFERENCES quasar.schema (org_id, urn),
  FOREIGN KEY (org_id, to_urn) REFERENCES quasar.schema (org_id, urn)
);
ALTER TABLE quasar.schema_migration ENABLE ROW LEVEL SECURITY;
ALTER TABLE quasar.schema_migration FORCE ROW LEVEL SECURITY;
CREATE POLICY app_org ON quasar.schema_migration TO quasar_app USING (org_id = core.current_org());
GRANT SELECT, INSERT ON quasar.schema_migration TO quasar_app;

-- Outcomes: 'added', 'unchanged' (the same transforms are there, whatever the samples), 'migration_differs'.
CREATE FUNCTION quasar.add_migration(p_org uuid, p_principal uuid, p_from text, p_to text, p_forward text, p_inverse text,
                                     p_samples text, p_now_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  INSERT INTO quasar.schema_migration (org_id, from_urn, to_urn, forward, inverse, samples, created_by, created_at)
  VALUES (p_org, p_from, p_to, p_forward, p_inverse, p_samples, p_principal, quasar.from_ms(p_now_ms))
  ON CONFLICT (org_id, from_urn, to_urn) DO NOTHING;
  IF FOUND THEN
    RETURN 'added';
  END IF;
  RETURN (SELECT CASE WHEN m.forward = p_forward AND m.inverse = p_inverse THEN 'unchanged' ELSE 'migration_differs' END
            FROM quasar.schema_migration m WHERE m.org_id = p_org AND m.from_urn = p_from AND m.to_urn = p_to);
END
$$;

CREATE FUNCTION quasar.find_migration(p_org uuid, p_from text, p_to text) RETURNS TABLE (forward text, inverse text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT m.forward, m.inverse FROM quasar.schema_migration m
    WHERE m.org_id = p_org AND m.from_urn = p_from AND m.to_urn = p_to;
END
$$;
GRANT EXECUTE ON FUNCTION quasar.add_migration, quasar.find_migration TO quasar_app;

-- Outcomes: 'added', 'unchanged' (the same content is there), 'schema_differs' (other content is there), 'namespace_twin'.
CREATE FUNCTION quasar.add_schema(p_org uuid, p_principal uuid, p_urn text, p_namespace text, p_twin_key text, p_state text,
                                  p_body text, p_digest text, p_now_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  INSERT INTO quasar.namespace (org_id, twin_key, iri) VALUES (p_org, p_twin_key, p_namespace) ON CONFLICT (org_id, twin_key) DO NOTHING;
  IF NOT EXISTS (SELECT FROM quasar.namespace n WHERE n.org_id = p_org AND n.twin_key = p_twin_key AND n.iri = p_namespace) THEN
    RETURN 'namespace_twin';
  END IF;
  INSERT INTO quasar.schema (org_id, urn, namespace, state, body, digest, created_by, created_at, changed_by, changed_at)
  VALUES (p_org, p_urn, p_namespace, p_state, p_body, decode(p_digest, 'hex'), p_principal, quasar.from_ms(p_now_ms), p_principal,
          quasar.from_ms(p_now_ms))
  ON CONFLICT (org_id, urn) DO NOTHING;
  IF FOUND THEN
    RETURN 'added';
  END IF;
  RETURN (SELECT CASE WHEN s.digest = decode(p_digest, 'hex') AND s.namespace = p_namespace THEN 'unchanged' ELSE 'schema_differs' END
            FROM quasar.schema s WHERE s.org_id = p_org AND s.urn = p_urn);
END
$$;

-- Outcomes: 'changed', 'state_differs' with the state it has, 'schema_missing'.
CREATE FUNCTION quasar.change_schema_state(p_org uuid, p_principal uuid, p_urn text, p_from text, p_to text, p_now_ms bigint)
  RETURNS TABLE (outcome text, state text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  there text;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  SELECT s.state INTO there FROM quasar.schema s WHERE s.org_id = p_org AND s.urn = p_urn FOR UPDATE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'schema_missing', NULL::text;
  ELSIF there <> p_from THEN
    RETURN QUERY SELECT 'state_differs', there;
  ELSE
    UPDATE quasar.schema s SET state = p_to, changed_by = p_principal, changed_at = quasar.from_ms(p_now_ms)
     WHERE s.org_id = p_org AND s.urn = p_urn;
    RETURN QUERY SELECT 'changed', p_to;
  END IF;
END
$$;

CREATE FUNCTION quasar.find_schema(p_org uuid, p_urn text)
  RETURNS TABLE (urn text, namespace text, state text, body text, digest text, created_at_ms double precision, changed_at_ms double precision)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT s.urn, s.namespace, s.state, s.body, encode(s.digest, 'hex'), quasar.to_ms(s.created_at), quasar.to_ms(s.changed_at)
    FROM quasar.schema s WHERE s.org_id = p_org AND s.urn = p_urn;
END
$$;

-- In the order of their URNs, after the one given; of one namespace, or of all.
CREATE FUNCTION quasar.list_schemas(p_org uuid, p_namespace text, p_after text, p_limit integer)
  RETURNS TABLE (urn text, namespace text, state text, body text, digest text, created_at_ms double precision, changed_at_ms double precision)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT s.urn, s.namespace, s.state, s.body, encode(s.digest, 'hex'), quasar.to_ms(s.created_at), quasar.to_ms(s.changed_at)
    FROM quasar.schema s
   WHERE s.org_id = p_org AND (p_namespace IS NULL OR s.namespace = p_namespace) AND s.urn COLLATE "C" > coalesce(p_after, '') COLLATE "C"
   ORDER BY s.urn COLLATE "C" LIMIT p_limit;
END
$$;

GRANT EXECUTE ON FUNCTION quasar.add_schema, quasar.change_schema_state, quasar.find_schema, quasar.list_schemas TO quasar_app;
-- Outcomes: 'added', 'unchanged' (it is this document's already; its meta stays), 'ref_taken', 'document_missing'.
CREATE FUNCTION quasar.add_ref(p_org uuid, p_principal uuid, p_document uuid, p_system text, p_value text, p_meta text, p_now_ms bigint)
  RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR KEY SHARE;
  IF NOT FOUND THEN
    RETURN 'document_missing';
  END IF;
  INSERT INTO quasar.external_ref (org_id, system, value, document_id, meta, created_by, created_at)
  VALUES (p_org, p_system, p_value, p_document, p_meta, p_principal, quasar.from_ms(p_now_ms))
  ON CONFLICT (org_id, system, value) DO NOTHING;
  IF FOUND THEN
    RETURN 'added';
  END IF;
  RETURN coalesce((SELECT CASE WHEN r.document_id = p_document THEN 'unchanged' ELSE 'ref_taken' END FROM quasar.external_ref r
                    WHERE r.org_id = p_org AND r.system = p_system AND r.value = p_value), 'ref_taken');
END
$$;

-- False when the document does not have it.
CREATE FUNCTION quasar.remove_ref(p_org uuid, p_document uuid, p_system text, p_value text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  DELETE FROM quasar.external_ref WHERE org_id = p_org AND document_id = p_document AND system = p_system AND value = p_value;
  RETURN FOUND;
END
$$;

CREATE FUNCTION quasar.list_refs(p_org uuid, p_document uuid)
  RETURNS TABLE (system text, value text, meta text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT r.system, r.value, r.meta FROM quasar.external_ref r
    WHERE r.org_id = p_org AND r.document_id = p_document ORDER BY r.system, r.value;
END
$$;

CREATE FUNCTION quasar.find_ref(p_org uuid, p_system text, p_value text) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN (SELECT r.document_id FROM quasar.external_ref r WHERE r.org_id = p_org AND r.system = p_system AND r.value = p_value);
END
$$;

GRANT EXECUTE ON FUNCTION
  quasar.make_bundle, quasar.take_refs, quasar.add_ref, quasar.remove_ref, quasar.list_refs, quasar.find_ref
TO quasar_app;
GRANT EXECUTE ON FUNCTION quasar.place_version, quasar.commit_metadata, quasar.list_metadata TO quasar_app;

-- Documents by their current version, newest first, below the version id given; of them those with a label, with canonical
-- metadata of a namespace now, or made within a time (from the first millisecond to before the last). Nulls ask for nothing.
CREATE INDEX label_by_name ON quasar.label (org_id, name, document_id);
CREATE INDEX bundle_entry_by_namespace ON quasar.bundle_entry (org_id, namespace, document_id, bundle_id);

CREATE FUNCTION quasar.list_documents(p_org uuid, p_after uuid, p_limit integer, p_label text, p_namespace text, p_from_ms bigint,
                                      p_before_ms bigint)
  RETURNS TABLE (created_at_ms double precision, updated_at_ms double precision, current quasar.version_facts)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT quasar.to_ms(d.created_at), quasar.to_ms(d.updated_at), v::quasar.version_facts
    FROM (SELECT * FROM quasar.document inside
           WHERE inside.org_id = p_org AND inside.current_version_id < coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
             AND (p_from_ms IS NULL OR inside.created_at >= quasar.from_ms(p_from_ms))
             AND (p_before_ms IS NULL OR inside.created_at < quasar.from_ms(p_before_ms))
             AND (p_label IS NULL OR EXISTS (SELECT FROM quasar.label l
                   WHERE l.org_id = p_org AND l.name = p_label AND l.document_id = inside.id))
             AND (p_namespace IS NULL OR EXISTS (
                   SELECT FROM quasar.bundle_entry e
                     JOIN quasar.version c ON c.org_id = e.org_id AND c.document_id = e.document_id AND c.bundle_id = e.bundle_id
                    WHERE e.org_id = p_org AND e.namespace = p_namespace AND e.layer = 'canonical' AND e.document_id = inside.id
                      AND c.id = inside.current_version_id))
           ORDER BY inside.current_version_id DESC LIMIT p_limit) d
   -- OFFSET 0 keeps this a look-up per document, also while the tables are too new for the planner to know their size.
   CROSS JOIN LATERAL (SELECT * FROM quasar.version_facts
                        WHERE version_facts.org_id = p_org AND version_facts.document_id = d.id
                          AND version_facts.version_id = d.current_version_id OFFSET 0) v
   ORDER BY d.current_version_id DESC;
END
$$;
GRANT EXECUTE ON FUNCTION quasar.list_documents(uuid, uuid, integer, text, text, bigint, bigint) TO quasar_app;
DROP FUNCTION quasar.list_documents(uuid, uuid, integer);
