-- What is said of a document, as one short text: two states are the same only where nothing that is shown of it differs.
-- Clients name it by the ETag of a document, and a change can demand that it is still so.

-- Runs where the org is set. Times as numbers: how a time is written depends on the session.
CREATE FUNCTION quasar.document_state(d quasar.document) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT left(encode(sha256(convert_to(jsonb_build_array(
           d.current_version_id, extract(epoch FROM d.updated_at), d.folder_id, extract(epoch FROM d.retain_until),
           d.hold_reason, extract(epoch FROM d.hold_set_at), extract(epoch FROM d.disposed_at),
           (SELECT jsonb_agg(jsonb_build_array(r.system, r.value, r.meta) ORDER BY r.system, r.value)
              FROM quasar.external_ref r WHERE r.org_id = d.org_id AND r.document_id = d.id))::text, 'UTF8')), 'hex'), 32)
$$;

-- Details, references and state of one moment. Those that are disposed of too: whoever asks has been through the gate.
CREATE FUNCTION quasar.show_document(p_org uuid, p_document uuid)
  RETURNS TABLE (document_id uuid, current_version_id uuid, created_at_ms double precision, updated_at_ms double precision,
                 folder_id uuid, retain_until_ms double precision, hold_reason text, hold_set_at_ms double precision,
                 refs jsonb, state text)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT d.id, d.current_version_id, quasar.to_ms(d.created_at), quasar.to_ms(d.updated_at), d.folder_id,
                      quasar.to_ms(d.retain_until), d.hold_reason, quasar.to_ms(d.hold_set_at),
                      coalesce((SELECT jsonb_agg(jsonb_build_object('system', r.system, 'value', r.value, 'meta', r.meta)
                                                 ORDER BY r.system, r.value)
                                  FROM quasar.external_ref r WHERE r.org_id = d.org_id AND r.document_id = d.id), '[]'),
                      quasar.document_state(d)
    FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document;
END
$$;

-- Whether the current version is one of these, or the state one of these; the document stays so until the transaction ends.
-- True for one that is missing or disposed of: the change itself tells that.
CREATE FUNCTION quasar.document_matches(p_org uuid, p_document uuid, p_versions uuid[], p_states text[]) RETURNS boolean
  LANGUAGE plpgsql AS $$
DECLARE
  held quasar.document;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  -- As a commit and a disposal do it: the session before the document.
  PERFORM FROM quasar.upload u WHERE u.org_id = p_org AND u.document_id = p_document AND u.state IN ('open', 'sealing') FOR UPDATE;
  SELECT * INTO held FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR UPDATE;
  RETURN NOT FOUND OR held.disposed_at IS NOT NULL OR held.current_version_id = ANY (p_versions)
      OR quasar.document_state(held) = ANY (p_states);
END
$$;

GRANT EXECUTE ON FUNCTION quasar.document_state, quasar.show_document, quasar.document_matches TO quasar_app;
