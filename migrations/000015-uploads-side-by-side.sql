-- Several principals upload for one document side by side, each with one session: nobody keeps another one from it.

DROP INDEX quasar.upload_live;
CREATE UNIQUE INDEX upload_live ON quasar.upload (org_id, document_id, principal_id) WHERE state IN ('open', 'sealing');

-- As before, with all upload sessions that this ended.
DROP FUNCTION quasar.dispose_document(uuid, uuid, uuid, text, bigint);
CREATE FUNCTION quasar.dispose_document(p_org uuid, p_principal uuid, p_document uuid, p_reason text, p_now_ms bigint)
  RETURNS TABLE (outcome text, retain_until_ms double precision, upload_ids uuid[]) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  held quasar.document;
  ended uuid[];
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  -- A commit locks its session before the document.
  PERFORM FROM quasar.upload u
    WHERE u.org_id = p_org AND u.document_id = p_document AND u.state IN ('open', 'sealing') ORDER BY u.id FOR UPDATE;
  SELECT * INTO held FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR UPDATE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'document_missing', NULL::double precision, NULL::uuid[];
    RETURN;
  ELSIF held.disposed_at IS NOT NULL THEN
    RETURN QUERY SELECT 'unchanged', NULL::double precision, NULL::uuid[];
    RETURN;
  ELSIF held.hold_reason IS NOT NULL THEN
    RETURN QUERY SELECT 'document_held', NULL::double precision, NULL::uuid[];
    RETURN;
  ELSIF held.retain_until > quasar.from_ms(p_now_ms) THEN
    RETURN QUERY SELECT 'document_retained', quasar.to_ms(held.retain_until), NULL::uuid[];
    RETURN;
  END IF;

  UPDATE quasar.document d SET disposed_at = quasar.from_ms(p_now_ms), disposed_by = p_principal, dispose_reason = p_reason
   WHERE d.org_id = p_org AND d.id = p_document;
  DELETE FROM quasar.external_ref r WHERE r.org_id = p_org AND r.document_id = p_document;
  WITH failed AS (
    UPDATE quasar.upload u SET state = 'failed', fence = u.fence + 1
     WHERE u.org_id = p_org AND u.document_id = p_document AND u.state IN ('open', 'sealing') RETURNING u.id
  )
  SELECT array_agg(failed.id) INTO ended FROM failed;
  DELETE FROM quasar.upload_checkpoint c WHERE c.org_id = p_org AND c.upload_id = ANY (ended);
  RETURN QUERY SELECT 'disposed', NULL::double precision, ended;
END
$$;

GRANT EXECUTE ON FUNCTION quasar.dispose_document TO quasar_app;
