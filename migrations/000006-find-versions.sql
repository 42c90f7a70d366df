-- Many look-ups of versions in one round trip. Null for a version: the current one. `n` is the place of the question in
-- the arrays, from 1 on; what is absent has no row.

CREATE FUNCTION quasar.find_versions(p_org uuid, p_documents uuid[], p_versions uuid[])
  RETURNS TABLE (n bigint, found quasar.version_facts) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT asked.n, v::quasar.version_facts
    FROM (SELECT wish.n, d.id AS document_id, coalesce(wish.version_id, d.current_version_id) AS version_id
            FROM unnest(p_documents, p_versions) WITH ORDINALITY AS wish (document_id, version_id, n)
            -- OFFSET 0 keeps these look-ups, also while the tables are too new for the planner to know their size.
            CROSS JOIN LATERAL (SELECT * FROM quasar.document inside
                                 WHERE inside.org_id = p_org AND inside.id = wish.document_id OFFSET 0) d) asked
   CROSS JOIN LATERAL (SELECT * FROM quasar.version_facts
                        WHERE version_facts.org_id = p_org AND version_facts.document_id = asked.document_id
                          AND version_facts.version_id = asked.version_id OFFSET 0) v;
END
$$;

GRANT EXECUTE ON FUNCTION quasar.find_versions TO quasar_app;

-- It took one question a round trip.
DROP FUNCTION quasar.find_version(uuid, uuid, uuid);
