-- Orgs are made and listed by the operator; what decides about many documents is read at once; the documents of a blob.

-- Of all orgs, hence with the rights of quasar_definer, whom row-level security holds too. That only the operator's org asks
-- is the program's to see to.
CREATE POLICY definer_list ON core.org FOR SELECT TO quasar_definer USING (true);
CREATE POLICY definer_create ON core.org FOR INSERT TO quasar_definer WITH CHECK (suspended_at IS NULL);
CREATE POLICY definer_create ON core.principal FOR INSERT TO quasar_definer WITH CHECK (roles = ARRAY['admin'] AND subject IS NULL);
GRANT INSERT (id, name, created_at) ON core.org TO quasar_definer;
GRANT INSERT (org_id, id, kind, name, roles, created_at) ON core.principal TO quasar_definer;

-- With one service account, which administers it. Outcomes: 'created', 'name_taken'.
CREATE FUNCTION core.create_org(p_org uuid, p_name text, p_principal uuid, p_principal_name text, p_now_ms bigint) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made_at timestamptz := to_timestamp(p_now_ms / 1000.0::double precision);
BEGIN
  INSERT INTO core.org (id, name, created_at) VALUES (p_org, p_name, made_at) ON CONFLICT (name) DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'name_taken';
  END IF;
  INSERT INTO core.principal (org_id, id, kind, name, roles, created_at)
  VALUES (p_org, p_principal, 'service', p_principal_name, '{admin}', made_at);
  RETURN 'created';
END
$$;

-- In the order of their ids, after the one given.
CREATE FUNCTION core.list_orgs(p_after uuid, p_limit integer)
  RETURNS TABLE (id uuid, name text, created_at_ms double precision, suspended_at_ms double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
    SELECT o.id, o.name, floor(extract(epoch FROM o.created_at) * 1000)::double precision,
           floor(extract(epoch FROM o.suspended_at) * 1000)::double precision
      FROM core.org o WHERE p_after IS NULL OR o.id > p_after ORDER BY o.id LIMIT p_limit
  $$;

-- Outcomes: 'changed', 'unchanged', 'org_missing'. Suspends, or lifts the suspension.
CREATE OR REPLACE FUNCTION core.suspend_org(p_org uuid, p_suspended boolean, p_now_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  UPDATE core.org o SET suspended_at = CASE WHEN p_suspended THEN quasar.from_ms(p_now_ms) END
   WHERE o.id = p_org AND (o.suspended_at IS NOT NULL) <> p_suspended;
  IF FOUND THEN
    RETURN 'changed';
  END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM core.org o WHERE o.id = p_org) THEN 'unchanged' ELSE 'org_missing' END;
END
$$;

-- Nobody keeps all revocations in memory: each change tells the org it is about (quasar_access).
DROP FUNCTION core.list_revocations(integer, bigint);
DROP POLICY definer_suspended ON core.org;
DROP POLICY definer_suspended ON core.principal;
DROP POLICY definer_token ON core.revoked_token;
REVOKE SELECT (org_id, jti, expires_at) ON core.revoked_token FROM quasar_definer;
REVOKE SELECT (expires_at, revoked_at) ON core.api_key FROM quasar_definer;

-- Revoking twice keeps the later end. Takes some of those that have run out along. Outcomes: 'revoked', 'unchanged'.
DROP FUNCTION core.revoke_token(uuid, uuid, text, bigint, integer, bigint);
CREATE FUNCTION core.revoke_token(p_org uuid, p_principal uuid, p_jti text, p_expires_ms bigint, p_cleared_max integer, p_now_ms bigint)
  RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  outcome text;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  INSERT INTO core.revoked_token AS t (org_id, jti, expires_at, revoked_by, revoked_at)
  VALUES (p_org, p_jti, quasar.from_ms(p_expires_ms), p_principal, quasar.from_ms(p_now_ms))
  ON CONFLICT (org_id, jti) DO UPDATE SET expires_at = excluded.expires_at WHERE t.expires_at < excluded.expires_at;
  outcome := CASE WHEN FOUND THEN 'revoked' ELSE 'unchanged' END;
  DELETE FROM core.revoked_token t WHERE t.org_id = p_org AND t.jti IN (
    SELECT old.jti FROM core.revoked_token old WHERE old.org_id = p_org AND old.expires_at <= quasar.from_ms(p_now_ms)
     ORDER BY old.expires_at LIMIT p_cleared_max FOR UPDATE SKIP LOCKED);
  RETURN outcome;
END
$$;

-- All that bears on a decision about a principal, and what events call it by. Groups within groups count each once.
DROP FUNCTION core.load_requester(uuid, uuid);
CREATE FUNCTION core.load_requester(p_org uuid, p_principal uuid)
  RETURNS TABLE (suspended boolean, roles text[], groups uuid[], kind text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY
  WITH RECURSIVE around AS (
    SELECT m.group_id AS id FROM core.group_member m WHERE m.org_id = p_org AND m.principal_id = p_principal
    UNION
    SELECT n.within_id FROM around JOIN core.group_nesting n ON n.org_id = p_org AND n.group_id = around.id
  )
  SELECT p.suspended_at IS NOT NULL OR o.suspended_at IS NOT NULL, p.roles, ARRAY(SELECT around.id FROM around), p.kind
    FROM core.principal p JOIN core.org o ON o.id = p.org_id WHERE p.org_id = p_org AND p.id = p_principal;
END
$$;

-- The places that have a say about documents, each once: the documents themselves, every folder around one of them, the org;
-- `within_id` is the folder that is next outwards. Documents that are absent have no row. Version 0: it never had rules.
CREATE FUNCTION quasar.load_access_lists(p_org uuid, p_documents uuid[])
  RETURNS TABLE (kind text, place_id uuid, within_id uuid, version integer, rules json) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY
  WITH RECURSIVE found AS MATERIALIZED (
    SELECT d.id, d.folder_id FROM quasar.document d WHERE d.org_id = p_org AND d.id = ANY (p_documents)
  ), around AS (
    SELECT f.id, f.parent_id FROM (SELECT DISTINCT folder_id FROM found) AS first
      JOIN quasar.folder f ON f.org_id = p_org AND f.id = first.folder_id
    UNION
    SELECT f.id, f.parent_id FROM around JOIN quasar.folder f ON f.org_id = p_org AND f.id = around.parent_id
  ), place AS (
    SELECT 'document' AS kind, found.id, found.folder_id AS within_id FROM found
    UNION ALL
    SELECT 'folder', around.id, around.parent_id FROM around
    UNION ALL
    SELECT 'org', o.id, NULL FROM core.org o WHERE o.id = p_org
  )
  SELECT place.kind, place.id, place.within_id, coalesce(held.version, 0),
         CASE WHEN held.version IS NOT NULL THEN quasar.rules_of(p_org, place.kind, place.id, held.version) END
    FROM place LEFT JOIN LATERAL (
         SELECT s.version FROM quasar.rule_set s
          WHERE s.org_id = p_org AND s.place_kind = place.kind AND s.place_id = place.id
          ORDER BY s.version DESC LIMIT 1) AS held ON true;
END
$$;

CREATE INDEX version_by_blob ON quasar.version (org_id, blob_key, document_id);

-- Documents that have it in one version at least, in the order of their ids, after the one given.
CREATE FUNCTION quasar.documents_of_blob(p_org uuid, p_key text, p_after uuid, p_limit integer) RETURNS TABLE (id uuid)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT DISTINCT v.document_id FROM quasar.version v
    WHERE v.org_id = p_org AND v.blob_key = decode(p_key, 'hex') AND (p_after IS NULL OR v.document_id > p_after)
    ORDER BY v.document_id LIMIT p_limit;
END
$$;

GRANT EXECUTE ON FUNCTION core.create_org, core.list_orgs, core.revoke_token, core.load_requester, quasar.load_access_lists,
  quasar.documents_of_blob TO quasar_app;

-- As in 000001: only the migrating role itself may hand an object over.
GRANT CREATE ON SCHEMA core TO quasar_definer;
SET LOCAL ROLE NONE;
ALTER FUNCTION core.create_org(uuid, text, uuid, text, bigint) OWNER TO quasar_definer;
ALTER FUNCTION core.list_orgs(uuid, integer) OWNER TO quasar_definer;
SET LOCAL ROLE quasar_owner;
REVOKE CREATE ON SCHEMA core FROM quasar_definer;
