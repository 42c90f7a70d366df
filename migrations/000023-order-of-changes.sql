-- The clock of a host may be wrong for a while. What came first is what the database saw: versions and documents have numbers
-- of a sequence, taken under the lock of the document's row, and lists go by them. Within a document no version is stamped
-- earlier than the change before it. What the clock said is kept beside, to tell how a label stood while stamps lay ahead.

CREATE SEQUENCE quasar.version_seq AS bigint;
GRANT USAGE ON SEQUENCE quasar.version_seq TO quasar_app;

ALTER TABLE quasar.version ADD COLUMN seq bigint;
-- By the version it stands at. Apart from the documents of one statement, whose numbers may cross, that version's.
ALTER TABLE quasar.document ADD COLUMN current_seq bigint;
-- What the clock said, where the move had to be put later than the change before it.
ALTER TABLE quasar.label_move ADD COLUMN stamped_at timestamptz;

-- So far: by the first time CURRENT stood there, which moves within a document have told apart. Without FORCE the owner sees
-- the rows of every org.
ALTER TABLE quasar.document NO FORCE ROW LEVEL SECURITY;
ALTER TABLE quasar.version NO FORCE ROW LEVEL SECURITY;
ALTER TABLE quasar.label_move NO FORCE ROW LEVEL SECURITY;
UPDATE quasar.version v SET seq = placed.n
  FROM (SELECT w.org_id, w.document_id, w.id,
               row_number() OVER (ORDER BY coalesce(moved.at, w.created_at), moved.at IS NOT NULL, w.id) AS n
          FROM quasar.version w
          LEFT JOIN (SELECT m.org_id, m.document_id, m.version_id, min(m.moved_at) AS at FROM quasar.label_move m
                      WHERE m.name = 'CURRENT' GROUP BY m.org_id, m.document_id, m.version_id) moved
            ON moved.org_id = w.org_id AND moved.document_id = w.document_id AND moved.version_id = w.id
               AND w.parents <> '{}') placed
 WHERE v.org_id = placed.org_id AND v.document_id = placed.document_id AND v.id = placed.id;
UPDATE quasar.document d SET current_seq = v.seq
  FROM quasar.version v WHERE v.org_id = d.org_id AND v.document_id = d.id AND v.id = d.current_version_id;
SELECT setval('quasar.version_seq', coalesce(max(seq), 0) + 1, false) FROM quasar.version;
-- What the updates left to check at the commit would keep the tables from being altered.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE quasar.document FORCE ROW LEVEL SECURITY;
ALTER TABLE quasar.version FORCE ROW LEVEL SECURITY;
ALTER TABLE quasar.label_move FORCE ROW LEVEL SECURITY;

ALTER TABLE quasar.version ALTER COLUMN seq SET DEFAULT nextval('quasar.version_seq'), ALTER COLUMN seq SET NOT NULL;
ALTER TABLE quasar.document ALTER COLUMN current_seq SET DEFAULT nextval('quasar.version_seq'), ALTER COLUMN current_seq SET NOT NULL;
-- The first version of a document is its last in the list, and is found without: one small file stays four index entries.
CREATE INDEX version_by_seq ON quasar.version (org_id, document_id, seq) WHERE parents <> '{}';
DROP INDEX quasar.document_by_change;
CREATE INDEX document_by_change ON quasar.document (org_id, current_seq) WHERE disposed_at IS NULL;

-- As before, with its number, and never stamped earlier than a whole millisecond after the change before it.
CREATE OR REPLACE FUNCTION quasar.place_version(p_document quasar.document, p_version quasar.version) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
  placed quasar.version := p_version;
BEGIN
  placed.seq := nextval('quasar.version_seq');
  placed.created_at := greatest(p_version.created_at, date_trunc('milliseconds', p_document.updated_at) + interval '1 millisecond');
  INSERT INTO quasar.version SELECT placed.*;
  UPDATE quasar.document SET current_version_id = placed.id, current_seq = placed.seq, updated_at = placed.created_at
   WHERE org_id = p_document.org_id AND id = p_document.id;
  INSERT INTO quasar.label_move (org_id, document_id, name, moved_at, stamped_at, version_id, previous_version_id, reason, moved_by)
  VALUES (p_document.org_id, p_document.id, 'CURRENT', placed.created_at, nullif(p_version.created_at, placed.created_at), placed.id,
          p_document.current_version_id, placed.reason, placed.created_by);
  RETURN placed.created_at;
END
$$;

-- As before. Read again when its stamp is another than the one that was asked for.
CREATE OR REPLACE FUNCTION quasar.commit_one(p_org uuid, p_principal uuid, i quasar.commit_item, p_pages bytea)
  RETURNS quasar.commit_outcome LANGUAGE plpgsql AS $$
DECLARE
  refusal quasar.commit_outcome;
  stamped_at timestamptz := quasar.from_ms(i.created_at_ms);
  changed_at timestamptz := stamped_at;
  held quasar.document;
  made quasar.version;
  stored graviton.blob;
  attached jsonb;
  into_folder uuid;
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
  IF i.metadata IS NOT NULL THEN
    attached := jsonb_build_object('metadata', i.metadata);
  END IF;
  into_folder := coalesce(i.folder_id, (attached ->> 'folder_id')::uuid);
  IF NOT quasar.take_refs(p_org, p_principal, i.document_id, i.upload_id, attached -> 'refs', changed_at) THEN
    refusal := ROW(i.n, 'ref_taken', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
  ELSIF i.new_document THEN
    PERFORM FROM quasar.folder WHERE org_id = p_org AND id = into_folder FOR KEY SHARE;
    IF NOT FOUND AND into_folder IS NOT NULL THEN
      refusal := ROW(i.n, 'folder_missing', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
    ELSIF cardinality(i.parents) > 0 THEN
      refusal := ROW(i.n, 'parent_missing', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
    ELSE
      INSERT INTO quasar.document (org_id, id, current_version_id, created_by, created_at, updated_at, folder_id)
      VALUES (p_org, i.document_id, i.version_id, p_principal, changed_at, changed_at, into_folder)
      ON CONFLICT (org_id, id) DO NOTHING;
      IF NOT FOUND THEN refusal := ROW(i.n, 'document_exists', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome; END IF;
    END IF;
  ELSE
    SELECT * INTO held FROM quasar.document WHERE org_id = p_org AND id = i.document_id FOR UPDATE;
    IF NOT FOUND OR held.disposed_at IS NOT NULL THEN
      refusal := ROW(i.n, 'document_missing', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
    ELSIF into_folder IS NOT NULL OR attached ? 'rules' THEN
      refusal := ROW(i.n, 'document_exists', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
    ELSIF i.expected_version_id <> held.current_version_id THEN
      refusal := ROW(i.n, 'version_changed', i.document_id, held.current_version_id, NULL, false)::quasar.commit_outcome;
    ELSIF EXISTS (SELECT FROM unnest(i.parents) AS parent (id) WHERE NOT EXISTS (
             SELECT FROM quasar.version v WHERE v.org_id = p_org AND v.document_id = i.document_id AND v.id = parent.id)) THEN
      refusal := ROW(i.n, 'parent_missing', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
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
  made.parents := CASE WHEN i.new_document THEN '{}' ELSE held.current_version_id || ARRAY(
    SELECT parent.id FROM unnest(i.parents) WITH ORDINALITY AS parent (id, n)
     WHERE parent.id <> held.current_version_id GROUP BY parent.id ORDER BY min(parent.n)) END;
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
    made.seq := nextval('quasar.version_seq');
    INSERT INTO quasar.version SELECT made.*;
  ELSE
    changed_at := quasar.place_version(held, made);
  END IF;
  IF attached ? 'metadata' THEN
    PERFORM quasar.make_bundle(made, previous_bundle,
      ARRAY(SELECT c FROM jsonb_populate_recordset(NULL::quasar.metadata_change, attached -> 'metadata') AS c), NULL);
  END IF;
  IF attached ? 'rules' THEN
    PERFORM quasar.insert_rules(p_org, p_principal, 'document', i.document_id, 1, (attached -> 'rules')::json, changed_at);
  END IF;
  INSERT INTO quasar.label_move (org_id, document_id, name, moved_at, stamped_at, version_id, previous_version_id, reason, moved_by)
  SELECT p_org, i.document_id, wish.name, changed_at, nullif(stamped_at, changed_at), i.version_id, label.version_id, i.reason, p_principal
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
          changed_at <> stamped_at
            OR (stored.chunker, stored.manifest_root) IS DISTINCT FROM (i.chunker, decode(i.manifest_root, 'hex')))::quasar.commit_outcome;
END
$$;

-- As before, with what the clock said.
CREATE OR REPLACE FUNCTION quasar.move_label(p_org uuid, p_principal uuid, p_document uuid, p_name text, p_version uuid,
                                             p_expected uuid, p_reason text, p_now_ms bigint)
  RETURNS TABLE (outcome text, version_id uuid, previous_version_id uuid, moved_at_ms double precision)
  LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  document quasar.document;
  held uuid;
  stamped_at timestamptz := quasar.from_ms(p_now_ms);
  at timestamptz;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  SELECT * INTO document FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR UPDATE;
  IF NOT FOUND OR document.disposed_at IS NOT NULL THEN
    RETURN QUERY SELECT 'document_missing', NULL::uuid, NULL::uuid, NULL::double precision;
    RETURN;
  END IF;
  IF p_name = 'CURRENT' THEN
    held := document.current_version_id;
  ELSE
    SELECT l.version_id INTO held FROM quasar.label l WHERE l.org_id = p_org AND l.document_id = p_document AND l.name = p_name;
  END IF;
  IF NOT EXISTS (SELECT FROM quasar.version v WHERE v.org_id = p_org AND v.document_id = p_document AND v.id = p_version) THEN
    RETURN QUERY SELECT 'version_missing', held, NULL::uuid, NULL::double precision;
    RETURN;
  END IF;
  IF held = p_version THEN
    RETURN QUERY SELECT 'unchanged', held, NULL::uuid, NULL::double precision;
    RETURN;
  END IF;
  IF held IS DISTINCT FROM p_expected THEN
    RETURN QUERY SELECT 'label_moved', held, NULL::uuid, NULL::double precision;
    RETURN;
  END IF;

  at := greatest(stamped_at, document.updated_at + interval '1 microsecond');
  UPDATE quasar.document d SET updated_at = at,
         current_version_id = CASE WHEN p_name = 'CURRENT' THEN p_version ELSE d.current_version_id END,
         current_seq = CASE WHEN p_name = 'CURRENT' THEN
           (SELECT v.seq FROM quasar.version v WHERE v.org_id = p_org AND v.document_id = p_document AND v.id = p_version)
           ELSE d.current_seq END
   WHERE d.org_id = p_org AND d.id = p_document;
  IF p_name <> 'CURRENT' THEN
    INSERT INTO quasar.label (org_id, document_id, name, version_id) VALUES (p_org, p_document, p_name, p_version)
    ON CONFLICT (org_id, document_id, name) DO UPDATE SET version_id = excluded.version_id;
  END IF;
  INSERT INTO quasar.label_move (org_id, document_id, name, moved_at, stamped_at, version_id, previous_version_id, reason, moved_by)
  VALUES (p_org, p_document, p_name, at, nullif(stamped_at, at), p_version, held, p_reason, p_principal);
  RETURN QUERY SELECT 'moved', p_version, held, quasar.to_ms(at);
END
$$;

-- By numbers; `position` is where a page that ends with the row ends.
DROP FUNCTION quasar.list_documents(uuid, uuid, integer, text, text, bigint, bigint);
CREATE FUNCTION quasar.list_documents(p_org uuid, p_after bigint, p_limit integer, p_label text, p_namespace text,
                                                 p_from_ms bigint, p_before_ms bigint)
  RETURNS TABLE ("position" text, created_at_ms double precision, updated_at_ms double precision, current quasar.version_facts)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT d.current_seq::text, quasar.to_ms(d.created_at), quasar.to_ms(d.updated_at), v::quasar.version_facts
    FROM (SELECT * FROM quasar.document inside
           WHERE inside.org_id = p_org AND inside.current_seq < coalesce(p_after, 9223372036854775807)
             AND inside.disposed_at IS NULL
             AND (p_from_ms IS NULL OR inside.created_at >= quasar.from_ms(p_from_ms))
             AND (p_before_ms IS NULL OR inside.created_at < quasar.from_ms(p_before_ms))
             AND (p_label IS NULL OR EXISTS (SELECT FROM quasar.label l
                   WHERE l.org_id = p_org AND l.name = p_label AND l.document_id = inside.id))
             AND (p_namespace IS NULL OR EXISTS (
                   SELECT FROM quasar.bundle_entry e
                     JOIN quasar.version c ON c.org_id = e.org_id AND c.document_id = e.document_id AND c.bundle_id = e.bundle_id
                    WHERE e.org_id = p_org AND e.namespace = p_namespace AND e.layer = 'canonical' AND e.document_id = inside.id
                      AND c.id = inside.current_version_id))
           ORDER BY inside.current_seq DESC LIMIT p_limit) d
   -- OFFSET 0 keeps this a look-up per document, also while the tables are too new for the planner to know their size.
   CROSS JOIN LATERAL (SELECT * FROM quasar.version_facts
                        WHERE version_facts.org_id = p_org AND version_facts.document_id = d.id
                          AND version_facts.version_id = d.current_version_id OFFSET 0) v
   ORDER BY d.current_seq DESC;
END
$$;

DROP FUNCTION quasar.list_versions(uuid, uuid, uuid, integer);
CREATE FUNCTION quasar.list_versions(p_org uuid, p_document uuid, p_after bigint, p_limit integer)
  RETURNS TABLE ("position" text, version quasar.version_facts) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY
  WITH listed AS MATERIALIZED (
    SELECT l.* FROM (
      (SELECT v.id, v.seq FROM quasar.version v
        WHERE v.org_id = p_org AND v.document_id = p_document AND v.parents <> '{}' AND v.seq < coalesce(p_after, 9223372036854775807)
        ORDER BY v.seq DESC LIMIT p_limit)
      UNION ALL
      SELECT v.id, v.seq FROM quasar.version v
       WHERE v.org_id = p_org AND v.document_id = p_document AND v.id = quasar.first_version(p_org, p_document)
         AND v.seq < coalesce(p_after, 9223372036854775807)) AS l
     ORDER BY l.seq DESC LIMIT p_limit)
  SELECT listed.seq::text, f::quasar.version_facts FROM listed
   CROSS JOIN LATERAL (SELECT * FROM quasar.version_facts
                        WHERE version_facts.org_id = p_org AND version_facts.document_id = p_document
                          AND version_facts.version_id = listed.id OFFSET 0) f
   ORDER BY listed.seq DESC;
END
$$;

-- Where a label stood at the end of a millisecond; null when it was not there yet. Null for the time: where it stands. A move
-- whose stamp lies ahead of now was put behind one that a wrong clock had stamped: it counts from when the clock said it was.
DROP FUNCTION quasar.label_at(uuid, uuid, text, bigint);
CREATE FUNCTION quasar.label_at(p_org uuid, p_document uuid, p_name text, p_at_ms bigint, p_now_ms bigint) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := quasar.from_ms(p_at_ms + 1);
  now timestamptz := quasar.from_ms(p_now_ms);
  stood_at uuid;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  IF p_at_ms IS NULL AND p_name = 'CURRENT' THEN
    RETURN (SELECT d.current_version_id FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document);
  ELSIF p_at_ms IS NULL THEN
    RETURN (SELECT l.version_id FROM quasar.label l WHERE l.org_id = p_org AND l.document_id = p_document AND l.name = p_name);
  END IF;
  SELECT m.version_id INTO stood_at FROM quasar.label_move m
   WHERE m.org_id = p_org AND m.document_id = p_document AND m.name = p_name AND m.moved_at > now AND m.stamped_at < until
   ORDER BY m.moved_at DESC LIMIT 1;
  IF stood_at IS NOT NULL THEN RETURN stood_at; END IF;
  SELECT m.version_id INTO stood_at FROM quasar.label_move m
   WHERE m.org_id = p_org AND m.document_id = p_document AND m.name = p_name AND m.moved_at < until
   ORDER BY m.moved_at DESC LIMIT 1;
  IF stood_at IS NULL AND p_name = 'CURRENT' THEN
    SELECT quasar.first_version(p_org, p_document) INTO stood_at
      FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document AND d.created_at < until;
  END IF;
  RETURN stood_at;
END
$$;

GRANT EXECUTE ON FUNCTION quasar.list_documents(uuid, bigint, integer, text, text, bigint, bigint),
  quasar.list_versions(uuid, uuid, bigint, integer), quasar.label_at(uuid, uuid, text, bigint, bigint) TO quasar_app;
