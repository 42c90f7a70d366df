-- Reads that cost one round trip: each function names the org, then asks. The view adds nothing to what its reader may
-- see (security_invoker).

CREATE VIEW quasar.version_facts WITH (security_invoker = true) AS
  SELECT version.org_id, version.document_id, version.id AS version_id, version.parents,
         CASE WHEN document.current_version_id = version.id THEN ARRAY['CURRENT'] ELSE '{}' END
           || ARRAY(SELECT label.name FROM quasar.label
                     WHERE label.org_id = version.org_id AND label.document_id = version.document_id
                       AND label.version_id = version.id
                     ORDER BY label.name) AS labels,
         version.filename, version.content_type, version.reason,
         quasar.to_ms(version.created_at) AS created_at_ms,
         encode(blob.key, 'hex') AS blob_key, blob.size::double precision AS blob_size, encode(blob.sha256, 'hex') AS blob_sha256,
         blob.chunker, encode(blob.manifest_root, 'hex') AS manifest_root, blob.block_count
    FROM quasar.version
    JOIN quasar.document ON document.org_id = version.org_id AND document.id = version.document_id
    JOIN graviton.blob ON blob.org_id = version.org_id AND blob.key = version.blob_key;
GRANT SELECT ON quasar.version_facts TO quasar_app;

CREATE FUNCTION quasar.find_document(p_org uuid, p_document uuid)
  RETURNS TABLE (document_id uuid, current_version_id uuid, created_at_ms double precision, updated_at_ms double precision)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT d.id, d.current_version_id, quasar.to_ms(d.created_at), quasar.to_ms(d.updated_at)
    FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document;
END
$$;

-- Null for the version: the current one.
CREATE FUNCTION quasar.find_version(p_org uuid, p_document uuid, p_version uuid)
  RETURNS SETOF quasar.version_facts LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  IF p_version IS NULL THEN
    SELECT d.current_version_id INTO p_version FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document;
  END IF;
  RETURN QUERY SELECT * FROM quasar.version_facts v
    WHERE v.org_id = p_org AND v.document_id = p_document AND v.version_id = p_version;
END
$$;

CREATE FUNCTION quasar.find_blob(p_org uuid, p_key text)
  RETURNS TABLE (blob_key text, blob_size double precision, blob_sha256 text, chunker text, manifest_root text, block_count integer)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT encode(b.key, 'hex'), b.size::double precision, encode(b.sha256, 'hex'), b.chunker,
                      encode(b.manifest_root, 'hex'), b.block_count
    FROM graviton.blob b WHERE b.org_id = p_org AND b.key = decode(p_key, 'hex');
END
$$;

CREATE FUNCTION quasar.find_manifest_page(p_org uuid, p_key text, p_index integer)
  RETURNS TABLE (bytes bytea) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT m.bytes FROM graviton.manifest_page m
    WHERE m.org_id = p_org AND m.blob_key = decode(p_key, 'hex') AND m.page_index = p_index;
END
$$;

-- Newest change first, below the version id given.
CREATE FUNCTION quasar.list_documents(p_org uuid, p_after uuid, p_limit integer)
  RETURNS TABLE (created_at_ms double precision, updated_at_ms double precision, current quasar.version_facts)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT quasar.to_ms(d.created_at), quasar.to_ms(d.updated_at), v::quasar.version_facts
    FROM (SELECT * FROM quasar.document inside
           WHERE inside.org_id = p_org AND inside.current_version_id < coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
           ORDER BY inside.current_version_id DESC LIMIT p_limit) d
   -- OFFSET 0 keeps this a look-up per document, also while the tables are too new for the planner to know their size.
   CROSS JOIN LATERAL (SELECT * FROM quasar.version_facts
                        WHERE version_facts.org_id = p_org AND version_facts.document_id = d.id
                          AND version_facts.version_id = d.current_version_id OFFSET 0) v
   ORDER BY d.current_version_id DESC;
END
$$;

CREATE FUNCTION quasar.list_versions(p_org uuid, p_document uuid, p_after uuid, p_limit integer)
  RETURNS SETOF quasar.version_facts LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT * FROM quasar.version_facts v
    WHERE v.org_id = p_org AND v.document_id = p_document
      AND v.version_id < coalesce(p_after, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    ORDER BY v.version_id DESC LIMIT p_limit;
END
$$;

CREATE FUNCTION quasar.find_idempotency_key(p_org uuid, p_principal uuid, p_key text, p_now_ms bigint)
  RETURNS TABLE (fingerprint text, document_id uuid, version_id uuid) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT i.fingerprint, i.document_id, i.version_id FROM quasar.idempotency i
    WHERE i.org_id = p_org AND i.principal_id = p_principal AND i.key = p_key
      AND i.version_id IS NOT NULL AND i.expires_at > quasar.from_ms(p_now_ms);
END
$$;

GRANT EXECUTE ON FUNCTION
  quasar.find_document, quasar.find_version, quasar.find_blob, quasar.find_manifest_page, quasar.list_documents,
  quasar.list_versions, quasar.find_idempotency_key
TO quasar_app;
