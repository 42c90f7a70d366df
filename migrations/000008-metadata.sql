-- What a version says of itself: JSON objects by namespace, in two layers. Canonical metadata is what somebody filed,
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

DO $$
DECLARE
  at regclass;
BEGIN
  FOREACH at IN ARRAY ARRAY['quasar.metadata', 'quasar.bundle_entry']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', at);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', at);
    EXECUTE format('CREATE POLICY app_org ON %s TO quasar_app USING (org_id = core.current_org())', at);
  END LOOP;
END
$$;
GRANT SELECT, INSERT ON quasar.metadata, quasar.bundle_entry TO quasar_app;

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

-- As before, and a further version keeps the metadata of the one before.
CREATE OR REPLACE FUNCTION quasar.commit_one(p_org uuid, p_principal uuid, i quasar.commit_item, p_pages bytea)
  RETURNS quasar.commit_outcome LANGUAGE plpgsql AS $$
DECLARE
  refusal quasar.commit_outcome;
  changed_at timestamptz := quasar.from_ms(i.created_at_ms);
  held quasar.document;
  made quasar.version;
  stored graviton.blob;
BEGIN
  IF i.upload_id IS NOT NULL THEN
    refusal := quasar.check_upload(p_org, i);
    IF refusal.outcome IS NOT NULL THEN RETURN refusal; END IF;
  END IF;
  IF i.idempotency_key IS NOT NULL THEN
    refusal := quasar.claim_key(p_org, p_principal, i);
    IF refusal.outcome IS NOT NULL THEN RETURN refusal; END IF;
  END IF;

  IF i.new_document THEN
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
  IF i.new_document THEN
    INSERT INTO quasar.version SELECT made.*;
  ELSE
    SELECT bundle_id INTO made.bundle_id FROM quasar.version
     WHERE org_id = p_org AND document_id = i.document_id AND id = held.current_version_id;
    changed_at := quasar.place_version(held, made);
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
  INSERT INTO quasar.metadata (org_id, document_id, id, layer, namespace, schema, status, data, provenance, faults, created_by, created_at)
  SELECT p_org, p_document, c.metadata_id, c.layer, c.namespace, c.schema, c.status, c.data, c.provenance, c.faults, p_principal,
         made.created_at
    FROM unnest(changes) AS c WHERE c.metadata_id IS NOT NULL;
  INSERT INTO quasar.bundle_entry (org_id, document_id, bundle_id, layer, namespace, metadata_id)
  SELECT p_org, p_document, p_version, kept.layer, kept.namespace, kept.metadata_id FROM quasar.bundle_entry kept
   WHERE kept.org_id = p_org AND kept.document_id = p_document AND kept.bundle_id = previous_bundle
     AND kept.layer IS DISTINCT FROM p_replaced
     AND NOT EXISTS (SELECT FROM unnest(changes) AS c WHERE c.layer = kept.layer AND c.namespace = kept.namespace)
   UNION ALL
  SELECT p_org, p_document, p_version, c.layer, c.namespace, c.metadata_id FROM unnest(changes) AS c WHERE c.metadata_id IS NOT NULL;
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

-- Outcomes: 'added', 'unchanged' (the same content is there), 'schema_differs' (other content is there).
CREATE FUNCTION quasar.add_schema(p_org uuid, p_principal uuid, p_urn text, p_namespace text, p_state text, p_body text,
                                  p_digest text, p_now_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
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
GRANT EXECUTE ON FUNCTION quasar.place_version, quasar.commit_metadata, quasar.list_metadata TO quasar_app;
