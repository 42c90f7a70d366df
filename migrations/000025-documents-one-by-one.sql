-- Of a change to one document only its class is told (the end of its id, as in src/access/access-change.ts): what is known of
-- other documents, of folders and of who is who stays known. And what was decided is decided again where versions are committed.

-- '<org id> document <class>'.
CREATE FUNCTION core.tell_document_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('quasar_access', NEW.org_id || ' document ' || right(NEW.id::text, 3));
  RETURN NULL;
END
$$;
DROP TRIGGER tell ON quasar.document;
CREATE TRIGGER tell AFTER UPDATE OF folder_id, disposed_at ON quasar.document
  FOR EACH ROW WHEN (OLD.folder_id IS DISTINCT FROM NEW.folder_id OR OLD.disposed_at IS DISTINCT FROM NEW.disposed_at)
  EXECUTE FUNCTION core.tell_document_change();

-- The rules of a document bear on it alone.
CREATE FUNCTION core.tell_rules_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('quasar_access', CASE WHEN NEW.place_kind = 'document' THEN NEW.org_id || ' document ' || right(NEW.place_id::text, 3)
                                          ELSE NEW.org_id || ' rules' END);
  RETURN NULL;
END
$$;
DROP TRIGGER tell ON quasar.rule_set;
CREATE TRIGGER tell AFTER INSERT ON quasar.rule_set FOR EACH ROW EXECUTE FUNCTION core.tell_rules_change();

-- Whether something else of the org than a document has this id, so that a client cannot choose it for one. Runs where the org is set.
CREATE FUNCTION quasar.is_id_used(p_org uuid, p_id uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT p_id = p_org
      OR EXISTS (SELECT FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_id)
      OR EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.id = p_id)
      OR EXISTS (SELECT FROM core.principal_group g WHERE g.org_id = p_org AND g.id = p_id)
      OR EXISTS (SELECT FROM core.api_key k WHERE k.org_id = p_org AND k.id = p_id)
      OR EXISTS (SELECT FROM quasar.upload u WHERE u.org_id = p_org AND u.id = p_id)
$$;

-- As before, and 'suspended' for all items when the principal or its org is.
CREATE OR REPLACE FUNCTION quasar.commit_versions(p_org uuid, p_principal uuid, p_items jsonb, p_pages bytea)
  RETURNS SETOF quasar.commit_outcome LANGUAGE plpgsql AS $$
DECLARE
  fresh quasar.commit_item[];
  others quasar.commit_item[];
  i quasar.commit_item;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  IF EXISTS (SELECT FROM core.principal p JOIN core.org o ON o.id = p.org_id
              WHERE p.org_id = p_org AND p.id = p_principal AND (p.suspended_at IS NOT NULL OR o.suspended_at IS NOT NULL)) THEN
    RETURN QUERY SELECT item.n, 'suspended', item.document_id, item.version_id, NULL::uuid[], false
      FROM jsonb_populate_recordset(NULL::quasar.commit_item, p_items) AS item;
    RETURN;
  END IF;
  SELECT array_agg(item) FILTER (WHERE plain), array_agg(item ORDER BY (item).document_id, (item).n) FILTER (WHERE NOT plain)
    INTO fresh, others
    FROM (SELECT item, item.new_document AND item.upload_id IS NULL AND item.idempotency_key IS NULL AND item.labels = '{}' AS plain
            FROM jsonb_populate_recordset(NULL::quasar.commit_item, p_items) AS item) AS sorted;
  IF fresh IS NOT NULL THEN
    RETURN QUERY SELECT * FROM quasar.commit_fresh(p_org, p_principal, fresh, p_pages);
  END IF;
  IF others IS NOT NULL THEN
    FOREACH i IN ARRAY others LOOP
      RETURN NEXT quasar.commit_one(p_org, p_principal, i, p_pages);
    END LOOP;
    -- Whoever uses keys also clears a few that have run out, so that the table stays as small as its use.
    DELETE FROM quasar.idempotency AS old USING (
      SELECT principal_id, key FROM quasar.idempotency
       WHERE org_id = p_org AND expires_at <= quasar.from_ms(i.created_at_ms) ORDER BY expires_at LIMIT 16 FOR UPDATE SKIP LOCKED
    ) AS run_out WHERE old.org_id = p_org AND old.principal_id = run_out.principal_id AND old.key = run_out.key;
  END IF;
END
$$;

GRANT EXECUTE ON FUNCTION quasar.is_id_used TO quasar_app;
