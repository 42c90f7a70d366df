-- The end of a document, what keeps it from its end, and what a new one brings along.
--
-- A document that is disposed of keeps its versions, labels, metadata, folder and rules: what it was can always be told.
-- Nothing of it changes any more. Its names in other systems are free again, and no list has it. What changes a document
-- looks at `disposed_at` under the lock of its row.

ALTER TABLE quasar.document
  ADD COLUMN disposed_at timestamptz,
  ADD COLUMN disposed_by uuid,
  ADD COLUMN dispose_reason text,
  -- Not disposed of before; only ever set later.
  ADD COLUMN retain_until timestamptz,
  -- Not disposed of while there is one.
  ADD COLUMN hold_reason text,
  ADD COLUMN hold_set_by uuid,
  ADD COLUMN hold_set_at timestamptz,
  ADD CHECK (num_nulls(disposed_at, disposed_by, dispose_reason) IN (0, 3)),
  ADD CHECK (num_nulls(hold_reason, hold_set_by, hold_set_at) IN (0, 3)),
  ADD CHECK (disposed_at IS NULL OR hold_reason IS NULL);

-- Lists are of those that are not disposed of, however many are.
DROP INDEX quasar.document_by_change;
CREATE INDEX document_by_change ON quasar.document (org_id, current_version_id) WHERE disposed_at IS NULL;

-- Whoever remembers what bears on decisions about a document remembers too whether it is disposed of.
DROP TRIGGER tell ON quasar.document;
CREATE TRIGGER tell AFTER UPDATE OF folder_id, disposed_at ON quasar.document
  FOR EACH ROW EXECUTE FUNCTION core.tell_access_change('folder');

-- Outcomes: 'disposed' with the upload session that this ended; 'unchanged' (it was before); 'document_held';
-- 'document_retained' with the time until which; 'document_missing'.
CREATE FUNCTION quasar.dispose_document(p_org uuid, p_principal uuid, p_document uuid, p_reason text, p_now_ms bigint)
  RETURNS TABLE (outcome text, retain_until_ms double precision, upload_id uuid) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  held quasar.document;
  ended uuid;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  -- A commit locks its session before the document.
  PERFORM FROM quasar.upload u WHERE u.org_id = p_org AND u.document_id = p_document AND u.state IN ('open', 'sealing') FOR UPDATE;
  SELECT * INTO held FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR UPDATE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'document_missing', NULL::double precision, NULL::uuid;
    RETURN;
  ELSIF held.disposed_at IS NOT NULL THEN
    RETURN QUERY SELECT 'unchanged', NULL::double precision, NULL::uuid;
    RETURN;
  ELSIF held.hold_reason IS NOT NULL THEN
    RETURN QUERY SELECT 'document_held', NULL::double precision, NULL::uuid;
    RETURN;
  ELSIF held.retain_until > quasar.from_ms(p_now_ms) THEN
    RETURN QUERY SELECT 'document_retained', quasar.to_ms(held.retain_until), NULL::uuid;
    RETURN;
  END IF;

  UPDATE quasar.document d SET disposed_at = quasar.from_ms(p_now_ms), disposed_by = p_principal, dispose_reason = p_reason
   WHERE d.org_id = p_org AND d.id = p_document;
  DELETE FROM quasar.external_ref r WHERE r.org_id = p_org AND r.document_id = p_document;
  UPDATE quasar.upload u SET state = 'failed', fence = u.fence + 1
   WHERE u.org_id = p_org AND u.document_id = p_document AND u.state IN ('open', 'sealing') RETURNING u.id INTO ended;
  DELETE FROM quasar.upload_checkpoint c WHERE c.org_id = p_org AND c.upload_id = ended;
  RETURN QUERY SELECT 'disposed', NULL::double precision, ended;
END
$$;

-- Outcomes: 'changed'; 'unchanged'; 'retention_shortened' with the time that stands; 'document_missing'.
CREATE FUNCTION quasar.set_retention(p_org uuid, p_document uuid, p_until_ms bigint)
  RETURNS TABLE (outcome text, retain_until_ms double precision) LANGUAGE plpgsql AS $$
DECLARE
  held quasar.document;
  until timestamptz := quasar.from_ms(p_until_ms);
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  SELECT * INTO held FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR NO KEY UPDATE;
  IF NOT FOUND OR held.disposed_at IS NOT NULL THEN
    RETURN QUERY SELECT 'document_missing', NULL::double precision;
  ELSIF held.retain_until = until THEN
    RETURN QUERY SELECT 'unchanged', quasar.to_ms(until);
  ELSIF held.retain_until > until THEN
    RETURN QUERY SELECT 'retention_shortened', quasar.to_ms(held.retain_until);
  ELSE
    UPDATE quasar.document d SET retain_until = until WHERE d.org_id = p_org AND d.id = p_document;
    RETURN QUERY SELECT 'changed', quasar.to_ms(until);
  END IF;
END
$$;

-- One hold at most; a further reason takes the place of the one before, which the audit log keeps. Outcomes: 'changed',
-- 'unchanged' (it is held for this reason), each with the time the hold was set; 'document_missing'.
CREATE FUNCTION quasar.set_hold(p_org uuid, p_principal uuid, p_document uuid, p_reason text, p_now_ms bigint)
  RETURNS TABLE (outcome text, set_at_ms double precision) LANGUAGE plpgsql AS $$
DECLARE
  held quasar.document;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  SELECT * INTO held FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR NO KEY UPDATE;
  IF NOT FOUND OR held.disposed_at IS NOT NULL THEN
    RETURN QUERY SELECT 'document_missing', NULL::double precision;
  ELSIF held.hold_reason = p_reason THEN
    RETURN QUERY SELECT 'unchanged', quasar.to_ms(held.hold_set_at);
  ELSE
    UPDATE quasar.document d SET hold_reason = p_reason, hold_set_by = p_principal, hold_set_at = quasar.from_ms(p_now_ms)
     WHERE d.org_id = p_org AND d.id = p_document;
    RETURN QUERY SELECT 'changed', p_now_ms::double precision;
  END IF;
END
$$;

-- Outcomes: 'changed', 'unchanged' (there is none), 'document_missing'.
CREATE FUNCTION quasar.release_hold(p_org uuid, p_document uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  held quasar.document;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  SELECT * INTO held FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR NO KEY UPDATE;
  IF NOT FOUND OR held.disposed_at IS NOT NULL THEN
    RETURN 'document_missing';
  ELSIF held.hold_reason IS NULL THEN
    RETURN 'unchanged';
  END IF;
  UPDATE quasar.document d SET hold_reason = NULL, hold_set_by = NULL, hold_set_at = NULL WHERE d.org_id = p_org AND d.id = p_document;
  RETURN 'changed';
END
$$;

-- As before, with where it lies and what keeps it. Those that are disposed of too: whoever asks has been through the gate.
DROP FUNCTION quasar.find_document(uuid, uuid);
CREATE FUNCTION quasar.find_document(p_org uuid, p_document uuid)
  RETURNS TABLE (document_id uuid, current_version_id uuid, created_at_ms double precision, updated_at_ms double precision,
                 folder_id uuid, retain_until_ms double precision, hold_reason text, hold_set_at_ms double precision)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT d.id, d.current_version_id, quasar.to_ms(d.created_at), quasar.to_ms(d.updated_at), d.folder_id,
                      quasar.to_ms(d.retain_until), d.hold_reason, quasar.to_ms(d.hold_set_at)
    FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document;
END
$$;

-- As before, without documents that are disposed of.
CREATE OR REPLACE FUNCTION quasar.list_documents(p_org uuid, p_after uuid, p_limit integer, p_label text, p_namespace text,
                                                 p_from_ms bigint, p_before_ms bigint)
  RETURNS TABLE (created_at_ms double precision, updated_at_ms double precision, current quasar.version_facts)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT quasar.to_ms(d.created_at), quasar.to_ms(d.updated_at), v::quasar.version_facts
    FROM (SELECT * FROM quasar.document inside
           WHERE inside.org_id = p_org AND inside.current_version_id < coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
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
           ORDER BY inside.current_version_id DESC LIMIT p_limit) d
   -- OFFSET 0 keeps this a look-up per document, also while the tables are too new for the planner to know their size.
   CROSS JOIN LATERAL (SELECT * FROM quasar.version_facts
                        WHERE version_facts.org_id = p_org AND version_facts.document_id = d.id
                          AND version_facts.version_id = d.current_version_id OFFSET 0) v
   ORDER BY d.current_version_id DESC;
END
$$;

-- As before, of documents that are not disposed of: a blob is read on behalf of one of them.
CREATE OR REPLACE FUNCTION quasar.documents_of_blob(p_org uuid, p_key text, p_after uuid, p_limit integer) RETURNS TABLE (id uuid)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT DISTINCT v.document_id FROM quasar.version v
    JOIN quasar.document d ON d.org_id = v.org_id AND d.id = v.document_id AND d.disposed_at IS NULL
   WHERE v.org_id = p_org AND v.blob_key = decode(p_key, 'hex') AND (p_after IS NULL OR v.document_id > p_after)
   ORDER BY v.document_id LIMIT p_limit;
END
$$;

-- As before; a document that is disposed of is missing.
CREATE OR REPLACE FUNCTION quasar.move_label(p_org uuid, p_principal uuid, p_document uuid, p_name text, p_version uuid,
                                             p_expected uuid, p_reason text, p_now_ms bigint)
  RETURNS TABLE (outcome text, version_id uuid, previous_version_id uuid, moved_at_ms double precision)
  LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  document quasar.document;
  held uuid;
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

  at := greatest(quasar.from_ms(p_now_ms), document.updated_at + interval '1 microsecond');
  UPDATE quasar.document d SET updated_at = at,
         current_version_id = CASE WHEN p_name = 'CURRENT' THEN p_version ELSE d.current_version_id END
   WHERE d.org_id = p_org AND d.id = p_document;
  IF p_name <> 'CURRENT' THEN
    INSERT INTO quasar.label (org_id, document_id, name, version_id) VALUES (p_org, p_document, p_name, p_version)
    ON CONFLICT (org_id, document_id, name) DO UPDATE SET version_id = excluded.version_id;
  END IF;
  INSERT INTO quasar.label_move (org_id, document_id, name, moved_at, version_id, previous_version_id, reason, moved_by)
  VALUES (p_org, p_document, p_name, at, p_version, held, p_reason, p_principal);
  RETURN QUERY SELECT 'moved', p_version, held, quasar.to_ms(at);
END
$$;

-- As before; a document that is disposed of is missing.
CREATE OR REPLACE FUNCTION quasar.commit_metadata(p_org uuid, p_principal uuid, p_document uuid, p_version uuid, p_expected uuid,
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
  IF NOT FOUND OR held.disposed_at IS NOT NULL THEN
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

-- As before; a document that is disposed of is missing.
CREATE OR REPLACE FUNCTION quasar.add_ref(p_org uuid, p_principal uuid, p_document uuid, p_system text, p_value text, p_meta text,
                                          p_now_ms bigint)
  RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document AND d.disposed_at IS NULL FOR KEY SHARE;
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

-- As before; a document that is disposed of is missing.
CREATE OR REPLACE FUNCTION quasar.place_document(p_org uuid, p_document uuid, p_folder uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document AND d.disposed_at IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'document_missing';
  END IF;
  IF p_folder IS NOT NULL THEN
    PERFORM FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_folder FOR KEY SHARE;
    IF NOT FOUND THEN
      RETURN 'folder_missing';
    END IF;
  END IF;
  UPDATE quasar.document d SET folder_id = p_folder WHERE d.org_id = p_org AND d.id = p_document AND d.folder_id IS DISTINCT FROM p_folder;
  RETURN CASE WHEN FOUND THEN 'placed' ELSE 'unchanged' END;
END
$$;

-- The first rules of a place or those of a change: a JSON array of objects with id, effect, actions (mask), principals. False:
-- there is such a version. Runs where the org is set.
CREATE FUNCTION quasar.insert_rules(p_org uuid, p_principal uuid, p_kind text, p_id uuid, p_version integer, p_rules json, p_at timestamptz)
  RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO quasar.rule_set (org_id, place_kind, place_id, version, changed_by, changed_at)
  VALUES (p_org, p_kind, p_id, p_version, p_principal, p_at) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO quasar.access_rule (org_id, place_kind, place_id, version, n, id, effect, actions, principals)
  SELECT p_org, p_kind, p_id, p_version, n, (rule ->> 'id')::uuid, rule ->> 'effect', (rule ->> 'actions')::integer,
         ARRAY(SELECT json_array_elements_text(rule -> 'principals')::uuid)
    FROM json_array_elements(p_rules) WITH ORDINALITY AS list (rule, n);
  RETURN true;
END
$$;

-- Whom rules name that the org has not, the first by id; null when it has them all. Runs where the org is set.
CREATE FUNCTION quasar.find_stranger(p_org uuid, p_rules json) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT named.id
    FROM (SELECT DISTINCT json_array_elements_text(rule -> 'principals')::uuid AS id FROM json_array_elements(p_rules) AS rule) AS named
   WHERE NOT EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.id = named.id)
     AND NOT EXISTS (SELECT FROM core.principal_group g WHERE g.org_id = p_org AND g.id = named.id)
   ORDER BY named.id LIMIT 1
$$;

-- As before; a document that is disposed of is missing.
CREATE OR REPLACE FUNCTION quasar.replace_rules(p_org uuid, p_principal uuid, p_kind text, p_id uuid, p_expected integer,
                                                p_rules json, p_now_ms bigint)
  RETURNS TABLE (outcome text, version integer, subject_id uuid) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  held integer;
  stranger uuid;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  CASE p_kind
    WHEN 'document' THEN
      PERFORM FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_id AND d.disposed_at IS NULL FOR KEY SHARE;
    WHEN 'folder' THEN PERFORM FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_id FOR KEY SHARE;
    WHEN 'org' THEN PERFORM FROM core.org o WHERE o.id = p_org AND o.id = p_id;
  END CASE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'place_missing', NULL::integer, NULL::uuid;
    RETURN;
  END IF;
  held := coalesce((SELECT max(s.version) FROM quasar.rule_set s
                     WHERE s.org_id = p_org AND s.place_kind = p_kind AND s.place_id = p_id), 0);
  IF held <> p_expected THEN
    RETURN QUERY SELECT 'rules_changed', held, NULL::uuid;
    RETURN;
  END IF;
  stranger := quasar.find_stranger(p_org, p_rules);
  IF stranger IS NOT NULL THEN
    RETURN QUERY SELECT 'subject_missing', held, stranger;
    RETURN;
  END IF;
  IF NOT quasar.insert_rules(p_org, p_principal, p_kind, p_id, held + 1, p_rules, quasar.from_ms(p_now_ms)) THEN
    RETURN QUERY SELECT 'rules_changed', max(s.version), NULL::uuid FROM quasar.rule_set s
     WHERE s.org_id = p_org AND s.place_kind = p_kind AND s.place_id = p_id;
    RETURN;
  END IF;
  RETURN QUERY SELECT 'replaced', held + 1, NULL::uuid;
END
$$;

-- As before, and whether it is a document that is disposed of.
DROP FUNCTION quasar.load_access_list(uuid, text, uuid, integer);
CREATE FUNCTION quasar.load_access_list(p_org uuid, p_kind text, p_id uuid, p_depth_max integer)
  RETURNS TABLE (kind text, place_id uuid, version integer, rules json, disposed boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY
  WITH RECURSIVE start AS MATERIALIZED (
    SELECT d.folder_id, d.disposed_at IS NOT NULL AS disposed
      FROM quasar.document d WHERE p_kind = 'document' AND d.org_id = p_org AND d.id = p_id
    UNION ALL
    SELECT f.id, false FROM quasar.folder f WHERE p_kind = 'folder' AND f.org_id = p_org AND f.id = p_id
    UNION ALL
    SELECT NULL, false FROM core.org o WHERE p_kind = 'org' AND o.id = p_org AND o.id = p_id
  ), line AS (
    SELECT f.id, f.parent_id, 1 AS depth FROM start JOIN quasar.folder f ON f.org_id = p_org AND f.id = start.folder_id
    UNION ALL
    SELECT f.id, f.parent_id, line.depth + 1 FROM line JOIN quasar.folder f ON f.org_id = p_org AND f.id = line.parent_id
     WHERE line.depth <= p_depth_max
  ), place AS (
    SELECT 0 AS n, 'document' AS kind, p_id AS id, start.disposed FROM start WHERE p_kind = 'document'
    UNION ALL
    SELECT line.depth, 'folder', line.id, false FROM line
    UNION ALL
    SELECT p_depth_max + 2, 'org', p_org, false FROM start
  )
  SELECT place.kind, place.id, coalesce(held.version, 0),
         CASE WHEN held.version IS NULL THEN '[]'::json ELSE quasar.rules_of(p_org, place.kind, place.id, held.version) END,
         place.disposed
    FROM place LEFT JOIN LATERAL (
         SELECT s.version FROM quasar.rule_set s
          WHERE s.org_id = p_org AND s.place_kind = place.kind AND s.place_id = place.id
          ORDER BY s.version DESC LIMIT 1) AS held ON true
   ORDER BY place.n;
END
$$;

-- As before, and which documents are disposed of.
DROP FUNCTION quasar.load_access_lists(uuid, uuid[]);
CREATE FUNCTION quasar.load_access_lists(p_org uuid, p_documents uuid[])
  RETURNS TABLE (kind text, place_id uuid, within_id uuid, version integer, rules json, disposed boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY
  WITH RECURSIVE found AS MATERIALIZED (
    SELECT d.id, d.folder_id, d.disposed_at IS NOT NULL AS disposed
      FROM quasar.document d WHERE d.org_id = p_org AND d.id = ANY (p_documents)
  ), around AS (
    SELECT f.id, f.parent_id FROM (SELECT DISTINCT folder_id FROM found) AS first
      JOIN quasar.folder f ON f.org_id = p_org AND f.id = first.folder_id
    UNION
    SELECT f.id, f.parent_id FROM around JOIN quasar.folder f ON f.org_id = p_org AND f.id = around.parent_id
  ), place AS (
    SELECT 'document' AS kind, found.id, found.folder_id AS within_id, found.disposed FROM found
    UNION ALL
    SELECT 'folder', around.id, around.parent_id, false FROM around
    UNION ALL
    SELECT 'org', o.id, NULL, false FROM core.org o WHERE o.id = p_org
  )
  SELECT place.kind, place.id, place.within_id, coalesce(held.version, 0),
         CASE WHEN held.version IS NOT NULL THEN quasar.rules_of(p_org, place.kind, place.id, held.version) END, place.disposed
    FROM place LEFT JOIN LATERAL (
         SELECT s.version FROM quasar.rule_set s
          WHERE s.org_id = p_org AND s.place_kind = place.kind AND s.place_id = place.id
          ORDER BY s.version DESC LIMIT 1) AS held ON true;
END
$$;

-- Where a new document is to lie; null: in no folder. A session has it in `attached`, beside the first rules of the document:
-- {"folder_id": id, "rules": as insert_rules takes them}.
ALTER TYPE quasar.commit_item ADD ATTRIBUTE folder_id uuid;

-- As before, into folders. One that is gone is told, before the foreign key would fail the whole batch.
CREATE OR REPLACE FUNCTION quasar.commit_fresh(p_org uuid, p_principal uuid, p_items quasar.commit_item[], p_pages bytea)
  RETURNS SETOF quasar.commit_outcome LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH item AS MATERIALIZED (
    SELECT n, document_id, version_id, decode(key, 'hex') AS key, size, decode(sha256, 'hex') AS sha256, chunker,
           decode(manifest_root, 'hex') AS manifest_root, block_count, pages_at, page_sizes, filename, content_type, reason,
           quasar.from_ms(created_at_ms) AS created_at, folder_id
      FROM unnest(p_items)
  ), folder AS MATERIALIZED (
    SELECT f.id FROM quasar.folder f
     WHERE f.org_id = p_org AND f.id = ANY (ARRAY(SELECT DISTINCT item.folder_id FROM item WHERE item.folder_id IS NOT NULL))
     ORDER BY f.id FOR KEY SHARE
  ), made AS (
    INSERT INTO quasar.document (org_id, id, current_version_id, created_by, created_at, updated_at, folder_id)
    SELECT p_org, document_id, version_id, p_principal, created_at, created_at, folder_id FROM item
     WHERE folder_id IS NULL OR folder_id IN (SELECT folder.id FROM folder) ORDER BY document_id, n
    ON CONFLICT (org_id, id) DO NOTHING
    RETURNING id, current_version_id
  ), taken AS MATERIALIZED (
    SELECT item.* FROM item JOIN made ON made.id = item.document_id AND made.current_version_id = item.version_id
  ), chosen AS MATERIALIZED (
    SELECT DISTINCT ON (key) * FROM taken ORDER BY key
  ), new_blob AS (
    INSERT INTO graviton.blob (org_id, key, size, sha256, chunker, manifest_root, block_count, created_at)
    SELECT p_org, key, size, sha256, chunker, manifest_root, block_count, created_at FROM chosen ORDER BY key
    ON CONFLICT (org_id, key) DO NOTHING
    RETURNING key, chunker, manifest_root
  ), new_page AS (
    INSERT INTO graviton.manifest_page (org_id, blob_key, page_index, bytes)
    SELECT p_org, chosen.key, page.index, page.bytes
      FROM chosen JOIN new_blob USING (key), quasar.split_pages(p_pages, chosen.pages_at, chosen.page_sizes) AS page
  ), new_version AS (
    INSERT INTO quasar.version (org_id, document_id, id, parents, blob_key, filename, content_type, reason, created_by, created_at)
    SELECT p_org, document_id, version_id, '{}', key, filename, content_type, reason, p_principal, created_at FROM taken
  ), stored AS MATERIALIZED (
    SELECT key, chunker, manifest_root FROM new_blob
    UNION ALL
    SELECT blob.key, blob.chunker, blob.manifest_root
      FROM graviton.blob JOIN chosen USING (key) WHERE blob.org_id = p_org
  )
  SELECT item.n,
         CASE WHEN taken.n IS NOT NULL THEN 'committed' WHEN item.folder_id IS NOT NULL AND folder.id IS NULL THEN 'folder_missing'
              ELSE 'document_exists' END,
         item.document_id, item.version_id, '{}'::uuid[],
         taken.n IS NOT NULL AND (stored.chunker, stored.manifest_root) IS DISTINCT FROM (item.chunker, item.manifest_root)
    FROM item LEFT JOIN taken USING (n) LEFT JOIN stored ON stored.key = taken.key LEFT JOIN folder ON folder.id = item.folder_id;
END
$$;

-- As before; a new document comes into its folder and under its rules, and one that is disposed of takes no further version.
-- A session with a folder or rules makes the document, or nothing: they are not for one that somebody else made.
CREATE OR REPLACE FUNCTION quasar.commit_one(p_org uuid, p_principal uuid, i quasar.commit_item, p_pages bytea)
  RETURNS quasar.commit_outcome LANGUAGE plpgsql AS $$
DECLARE
  refusal quasar.commit_outcome;
  changed_at timestamptz := quasar.from_ms(i.created_at_ms);
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
  into_folder := coalesce(i.folder_id, (attached ->> 'folder_id')::uuid);
  IF NOT quasar.take_refs(p_org, p_principal, i.document_id, i.upload_id, attached -> 'refs', changed_at) THEN
    refusal := ROW(i.n, 'ref_taken', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
  ELSIF i.new_document THEN
    PERFORM FROM quasar.folder WHERE org_id = p_org AND id = into_folder FOR KEY SHARE;
    IF NOT FOUND AND into_folder IS NOT NULL THEN
      refusal := ROW(i.n, 'folder_missing', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
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
  IF attached ? 'rules' THEN
    PERFORM quasar.insert_rules(p_org, p_principal, 'document', i.document_id, 1, (attached -> 'rules')::json, changed_at);
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

GRANT EXECUTE ON FUNCTION
  quasar.dispose_document, quasar.set_retention, quasar.set_hold, quasar.release_hold, quasar.find_document, quasar.insert_rules,
  quasar.find_stranger, quasar.load_access_list, quasar.load_access_lists
TO quasar_app;
