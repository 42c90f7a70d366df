-- On behalf of which document a blob may be read, looked for within bounds however many documents share it: each is visited
-- once, whatever its versions, and no more than so many are.

DROP FUNCTION quasar.documents_of_blob(uuid, text, uuid, integer);

-- Newest first, one of each kind that decisions tell apart for somebody with these names (a principal and its groups): a
-- document whose own rules name them; one of all in a folder within rules that do; and one of all others, about which only
-- the org's rules have a say. Documents that are disposed of count as visited and are not among them. With `p_document` that
-- one alone is visited.
CREATE FUNCTION quasar.documents_of_blob(p_org uuid, p_key text, p_names uuid[], p_document uuid, p_examined integer, p_limit integer)
  RETURNS TABLE (id uuid) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  wanted core.digest := decode(p_key, 'hex');
  lowest uuid := coalesce(p_document, '00000000-0000-0000-0000-000000000000');
  highest uuid := coalesce(p_document, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY
  WITH RECURSIVE visited AS (
    -- Each step is one entry of the index by blob: the key is part of the order, so that no other index can give it, and a
    -- thousand versions of one document are one step.
    (SELECT v.blob_key AS key, v.document_id AS id, 1 AS n FROM quasar.version v
      WHERE v.org_id = p_org AND (v.blob_key, v.document_id) <= (wanted, highest)
      ORDER BY v.blob_key DESC, v.document_id DESC LIMIT 1)
    UNION ALL
    SELECT next.key, next.id, visited.n + 1 FROM visited CROSS JOIN LATERAL (
           SELECT v.blob_key AS key, v.document_id AS id FROM quasar.version v
            WHERE v.org_id = p_org AND (v.blob_key, v.document_id) < (visited.key, visited.id)
            ORDER BY v.blob_key DESC, v.document_id DESC LIMIT 1) AS next
     WHERE visited.key = wanted AND visited.id > lowest AND visited.n < p_examined
  ), found AS MATERIALIZED (
    -- A condition on `disposed_at` in the look-up would let it go by the index of all documents that are not.
    SELECT visited.id, there.folder_id, quasar.names_any(p_org, 'document', visited.id, p_names) AS named
      FROM visited CROSS JOIN LATERAL (SELECT d.folder_id, d.disposed_at FROM quasar.document d
            WHERE d.org_id = p_org AND d.id = visited.id OFFSET 0) AS there
     WHERE visited.key = wanted AND visited.id >= lowest AND there.disposed_at IS NULL
  ), around AS (
    SELECT DISTINCT found.folder_id AS folder_id, found.folder_id AS at FROM found WHERE found.folder_id IS NOT NULL
    UNION
    SELECT around.folder_id, outer_one.parent_id FROM around CROSS JOIN LATERAL (SELECT f.parent_id FROM quasar.folder f
            WHERE f.org_id = p_org AND f.id = around.at OFFSET 0) AS outer_one
     WHERE outer_one.parent_id IS NOT NULL
  ), naming AS MATERIALIZED (
    SELECT place.at FROM (SELECT DISTINCT around.at FROM around) AS place WHERE quasar.names_any(p_org, 'folder', place.at, p_names)
  ), within AS (
    SELECT DISTINCT around.folder_id FROM around JOIN naming ON naming.at = around.at
  ), kind AS (
    SELECT DISTINCT ON (of_kind) found.id, CASE WHEN found.named THEN found.id ELSE within.folder_id END AS of_kind
      FROM found LEFT JOIN within ON within.folder_id = found.folder_id
     ORDER BY of_kind, found.id DESC
  )
  SELECT kind.id FROM kind ORDER BY kind.of_kind IS NOT NULL, kind.id DESC LIMIT p_limit;
END
$$;

-- Whether a rule that holds in the place now names one of them. Runs where the org is set.
CREATE FUNCTION quasar.names_any(p_org uuid, p_kind text, p_id uuid, p_names uuid[]) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM quasar.access_rule r
    WHERE r.org_id = p_org AND r.place_kind = p_kind AND r.place_id = p_id AND r.principals && p_names
      AND r.version = (SELECT max(s.version) FROM quasar.rule_set s
                        WHERE s.org_id = p_org AND s.place_kind = p_kind AND s.place_id = p_id))
$$;

GRANT EXECUTE ON FUNCTION quasar.documents_of_blob, quasar.names_any TO quasar_app;
