-- Labels move by compare-and-set, and where they were is kept: a document can be asked what it was at a time past.
--
-- A new document writes no move for CURRENT: until its first move, CURRENT stands at the version the document was made
-- with. Moves of a document are made one after the other, under the lock of its row, and each is later than the change
-- before, by a microsecond at least, whatever the clocks say.

CREATE TABLE quasar.label_move (
  org_id uuid NOT NULL,
  document_id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  moved_at timestamptz NOT NULL,
  version_id uuid NOT NULL,
  -- Null: the label was not there before.
  previous_version_id uuid,
  reason text,
  moved_by uuid NOT NULL,
  PRIMARY KEY (org_id, document_id, name, moved_at),
  FOREIGN KEY (org_id, document_id, version_id) REFERENCES quasar.version (org_id, document_id, id),
  FOREIGN KEY (org_id, document_id, previous_version_id) REFERENCES quasar.version (org_id, document_id, id)
);

-- So far only commits moved labels, and each version came after the current one: that tells when CURRENT moved. Without FORCE the owner sees the rows of every org.
ALTER TABLE quasar.document NO FORCE ROW LEVEL SECURITY;
ALTER TABLE quasar.version NO FORCE ROW LEVEL SECURITY;
ALTER TABLE quasar.label NO FORCE ROW LEVEL SECURITY;
WITH RECURSIVE line AS (
  SELECT org_id, document_id, id, NULL::uuid AS previous, created_at AS at, reason, created_by FROM quasar.version WHERE parents = '{}'
  UNION ALL
  SELECT v.org_id, v.document_id, v.id, line.id, greatest(v.created_at, line.at + interval '1 microsecond'), v.reason, v.created_by
    FROM line JOIN quasar.version v ON v.org_id = line.org_id AND v.document_id = line.document_id AND v.parents[1] = line.id
)
INSERT INTO quasar.label_move (org_id, document_id, name, moved_at, version_id, previous_version_id, reason, moved_by)
SELECT org_id, document_id, 'CURRENT', at, id, previous, reason, created_by FROM line WHERE previous IS NOT NULL;
INSERT INTO quasar.label_move (org_id, document_id, name, moved_at, version_id, moved_by)
SELECT org_id, document_id, label.name, version.created_at, version.id, version.created_by
  FROM quasar.label JOIN quasar.version USING (org_id, document_id) WHERE version.id = label.version_id;
UPDATE quasar.document SET updated_at = last.moved_at
  FROM (SELECT org_id, document_id, max(moved_at) AS moved_at FROM quasar.label_move GROUP BY org_id, document_id) AS last
 WHERE document.org_id = last.org_id AND document.id = last.document_id AND document.updated_at < last.moved_at;
ALTER TABLE quasar.document FORCE ROW LEVEL SECURITY;
ALTER TABLE quasar.version FORCE ROW LEVEL SECURITY;
ALTER TABLE quasar.label FORCE ROW LEVEL SECURITY;

ALTER TABLE quasar.label_move ENABLE ROW LEVEL SECURITY;
ALTER TABLE quasar.label_move FORCE ROW LEVEL SECURITY;
CREATE POLICY app_org ON quasar.label_move TO quasar_app USING (org_id = core.current_org());
GRANT SELECT, INSERT ON quasar.label_move TO quasar_app;

-- Outcomes: 'moved', 'unchanged' (it stands there already), 'label_moved' (it stands elsewhere than expected, or is there
-- when none was expected), 'version_missing', 'document_missing'. `version_id` is where the label stands afterwards.
CREATE FUNCTION quasar.move_label(p_org uuid, p_principal uuid, p_document uuid, p_name text, p_version uuid, p_expected uuid,
                                  p_reason text, p_now_ms bigint)
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
  IF NOT FOUND THEN
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

-- Null: there is no such document. Runs where the org is set.
CREATE FUNCTION quasar.first_version(p_org uuid, p_document uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT m.previous_version_id FROM quasar.label_move m
                    WHERE m.org_id = p_org AND m.document_id = p_document AND m.name = 'CURRENT'
                    ORDER BY m.moved_at LIMIT 1), d.current_version_id)
    FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document
$$;

-- Where a label stood at the end of a millisecond; null when it was not there yet.
CREATE FUNCTION quasar.label_at(p_org uuid, p_document uuid, p_name text, p_at_ms bigint) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := quasar.from_ms(p_at_ms + 1);
  stood_at uuid;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
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

-- Latest first, earlier than `p_before_us`: microseconds tell the moves of a label apart. The last one of CURRENT is the
-- making of the document.
CREATE FUNCTION quasar.list_label_moves(p_org uuid, p_document uuid, p_name text, p_before_us bigint, p_limit integer)
  RETURNS TABLE (version_id uuid, previous_version_id uuid, reason text, moved_by uuid, moved_at_us text)
  LANGUAGE plpgsql AS $$
DECLARE
  before timestamptz := coalesce('epoch'::timestamptz + p_before_us * interval '1 microsecond', 'infinity');
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY
  SELECT listed.version_id, listed.previous_version_id, listed.reason, listed.moved_by,
         (extract(epoch FROM listed.moved_at) * 1000000)::bigint::text
    FROM (SELECT m.version_id, m.previous_version_id, m.reason, m.moved_by, m.moved_at FROM quasar.label_move m
           WHERE m.org_id = p_org AND m.document_id = p_document AND m.name = p_name AND m.moved_at < before
           UNION ALL
          SELECT quasar.first_version(p_org, p_document), NULL, NULL, d.created_by, d.created_at FROM quasar.document d
           WHERE d.org_id = p_org AND d.id = p_document AND p_name = 'CURRENT' AND d.created_at < before) AS listed
   ORDER BY listed.moved_at DESC LIMIT p_limit;
END
$$;

GRANT EXECUTE ON FUNCTION quasar.move_label, quasar.first_version, quasar.label_at, quasar.list_label_moves TO quasar_app;
