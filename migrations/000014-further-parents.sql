-- A version may come from several: it names those besides the current one, and they are versions of its document that are
-- there. So nothing can come from itself.

ALTER TYPE quasar.commit_item ADD ATTRIBUTE parents uuid[];

-- As before, with the further parents of a further version.
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
