-- One statement commits a batch of versions. It names the org itself, so it is the whole transaction.

CREATE TYPE quasar.commit_item AS (
  n integer,
  document_id uuid,
  new_document boolean,
  version_id uuid,
  key text,
  size bigint,
  sha256 text,
  chunker text,
  manifest_root text,
  block_count integer,
  -- Where the item's pages start in the batch's page bytes, and how long each is.
  pages_at bigint,
  page_sizes integer[],
  filename text,
  content_type text,
  reason text,
  labels text[],
  created_at_ms bigint,
  idempotency_key text,
  idempotency_fingerprint text,
  idempotency_lifetime_ms bigint,
  upload_id uuid,
  upload_fence bigint,
  upload_fingerprint text
);

-- `reread`: the blob was there before with another cut, or is being made by somebody else; its row tells how.
CREATE TYPE quasar.commit_outcome AS (
  n integer,
  outcome text,
  document_id uuid,
  version_id uuid,
  parents uuid[],
  reread boolean
);

CREATE FUNCTION quasar.from_ms(ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN to_timestamp(ms / 1000.0::double precision);

CREATE FUNCTION quasar.to_ms(at timestamptz) RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE
  RETURN floor(extract(epoch FROM at) * 1000)::double precision;

-- Pages lie end to end from p_at on.
CREATE FUNCTION quasar.split_pages(p_pages bytea, p_at bigint, p_sizes integer[])
  RETURNS TABLE (index integer, bytes bytea) LANGUAGE sql IMMUTABLE AS $$
  SELECT ordinality::integer - 1,
         substring(p_pages FROM (p_at + sum(size) OVER (ORDER BY ordinality) - size)::integer + 1 FOR size)
    FROM unnest(p_sizes) WITH ORDINALITY AS page (size, ordinality)
$$;

-- The common case, set-based: documents that are new, without key, session or labels. The item's version is current only
-- if its document was made here, which tells apart two items of one batch that name the same document.
CREATE FUNCTION quasar.commit_fresh(p_org uuid, p_principal uuid, p_items quasar.commit_item[], p_pages bytea)
  RETURNS SETOF quasar.commit_outcome LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH item AS MATERIALIZED (
    SELECT n, document_id, version_id, decode(key, 'hex') AS key, size, decode(sha256, 'hex') AS sha256, chunker,
           decode(manifest_root, 'hex') AS manifest_root, block_count, pages_at, page_sizes, filename, content_type, reason,
           quasar.from_ms(created_at_ms) AS created_at
      FROM unnest(p_items)
  ), made AS (
    INSERT INTO quasar.document (org_id, id, current_version_id, created_by, created_at, updated_at)
    SELECT p_org, document_id, version_id, p_principal, created_at, created_at FROM item ORDER BY document_id, n
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
  SELECT item.n, CASE WHEN taken.n IS NULL THEN 'document_exists' ELSE 'committed' END,
         item.document_id, item.version_id, '{}'::uuid[],
         taken.n IS NOT NULL AND (stored.chunker, stored.manifest_root) IS DISTINCT FROM (item.chunker, item.manifest_root)
    FROM item LEFT JOIN taken USING (n) LEFT JOIN stored ON stored.key = taken.key;
END
$$;

-- Null: nothing stands against it. Locks the session's row.
CREATE FUNCTION quasar.check_upload(p_org uuid, i quasar.commit_item) RETURNS quasar.commit_outcome LANGUAGE plpgsql AS $$
DECLARE
  session quasar.upload;
BEGIN
  SELECT * INTO session FROM quasar.upload WHERE org_id = p_org AND id = i.upload_id FOR UPDATE;
  IF session.state = 'committed' AND session.fingerprint = i.upload_fingerprint THEN
    RETURN ROW(i.n, 'repeated', session.document_id, session.version_id, NULL, true)::quasar.commit_outcome;
  ELSIF session.state = 'sealing' AND session.fence = i.upload_fence AND session.document_id = i.document_id THEN
    RETURN NULL;
  END IF;
  RETURN ROW(i.n, 'fence_lost', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
END
$$;

-- Null: the key is ours now. A key past its time is as good as new.
CREATE FUNCTION quasar.claim_key(p_org uuid, p_principal uuid, i quasar.commit_item) RETURNS quasar.commit_outcome LANGUAGE plpgsql AS $$
DECLARE
  at timestamptz := quasar.from_ms(i.created_at_ms);
  used quasar.idempotency;
BEGIN
  INSERT INTO quasar.idempotency AS held (org_id, principal_id, key, fingerprint, document_id, version_id, expires_at)
  VALUES (p_org, p_principal, i.idempotency_key, i.idempotency_fingerprint, i.document_id, i.version_id,
          quasar.from_ms(i.created_at_ms + i.idempotency_lifetime_ms))
  ON CONFLICT (org_id, principal_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, document_id = excluded.document_id, version_id = excluded.version_id,
        upload_id = NULL, expires_at = excluded.expires_at
    WHERE held.expires_at <= at;
  IF FOUND THEN
    RETURN NULL;
  END IF;
  SELECT * INTO used FROM quasar.idempotency
   WHERE org_id = p_org AND principal_id = p_principal AND key = i.idempotency_key;
  IF used.fingerprint = i.idempotency_fingerprint AND used.version_id IS NOT NULL THEN
    RETURN ROW(i.n, 'repeated', used.document_id, used.version_id, NULL, true)::quasar.commit_outcome;
  END IF;
  RETURN ROW(i.n, 'idempotency_mismatch', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
END
$$;

-- Everything else, one item after the other. Checks come before writes, so that an item that is refused leaves nothing.
CREATE FUNCTION quasar.commit_one(p_org uuid, p_principal uuid, i quasar.commit_item, p_pages bytea)
  RETURNS quasar.commit_outcome LANGUAGE plpgsql AS $$
DECLARE
  refusal quasar.commit_outcome;
  at timestamptz := quasar.from_ms(i.created_at_ms);
  previous uuid;
  parents uuid[] := '{}';
  stored graviton.blob;
BEGIN
  IF i.upload_id IS NOT NULL THEN
    refusal := quasar.check_upload(p_org, i);
    IF refusal.outcome IS NOT NULL THEN RETURN refusal; END IF;
  END IF;
  IF i.idempotency_key IS NOT NULL THEN
    refusal := quasar.claim_key(p_org, p_principal, i);
    IF refusal.outcome IS NOT NULL THEN RETURN refusal; END IF;
  END IF;

  IF i.new_document THEN
    INSERT INTO quasar.document (org_id, id, current_version_id, created_by, created_at, updated_at)
    VALUES (p_org, i.document_id, i.version_id, p_principal, at, at) ON CONFLICT (org_id, id) DO NOTHING;
    IF NOT FOUND THEN refusal := ROW(i.n, 'document_exists', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome; END IF;
  ELSE
    SELECT current_version_id INTO previous FROM quasar.document WHERE org_id = p_org AND id = i.document_id FOR UPDATE;
    IF FOUND THEN
      parents := ARRAY[previous];
      UPDATE quasar.document SET current_version_id = i.version_id, updated_at = at WHERE org_id = p_org AND id = i.document_id;
    ELSE
      refusal := ROW(i.n, 'document_missing', i.document_id, i.version_id, NULL, false)::quasar.commit_outcome;
    END IF;
  END IF;
  IF refusal.outcome IS NOT NULL THEN
    DELETE FROM quasar.idempotency WHERE org_id = p_org AND principal_id = p_principal AND key = i.idempotency_key;
    RETURN refusal;
  END IF;

  stored := quasar.store_blob(p_org, i, p_pages);
  INSERT INTO quasar.version (org_id, document_id, id, parents, blob_key, filename, content_type, reason, created_by, created_at)
  VALUES (p_org, i.document_id, i.version_id, parents, decode(i.key, 'hex'), i.filename, i.content_type, i.reason, p_principal, at);
  INSERT INTO quasar.label (org_id, document_id, name, version_id)
  SELECT DISTINCT p_org, i.document_id, name, i.version_id FROM unnest(i.labels) AS name
  ON CONFLICT (org_id, document_id, name) DO UPDATE SET version_id = excluded.version_id;

  IF i.upload_id IS NOT NULL THEN
    UPDATE quasar.upload SET state = 'committed', version_id = i.version_id, fingerprint = i.upload_fingerprint
     WHERE org_id = p_org AND id = i.upload_id;
    DELETE FROM quasar.upload_checkpoint WHERE org_id = p_org AND upload_id = i.upload_id;
  END IF;
  RETURN ROW(i.n, 'committed', i.document_id, i.version_id, parents,
          (stored.chunker, stored.manifest_root) IS DISTINCT FROM (i.chunker, decode(i.manifest_root, 'hex')))::quasar.commit_outcome;
END
$$;

-- The row as it is stored, whoever made it.
CREATE FUNCTION quasar.store_blob(p_org uuid, i quasar.commit_item, p_pages bytea) RETURNS graviton.blob LANGUAGE plpgsql AS $$
DECLARE
  stored graviton.blob;
BEGIN
  INSERT INTO graviton.blob (org_id, key, size, sha256, chunker, manifest_root, block_count, created_at)
  VALUES (p_org, decode(i.key, 'hex'), i.size, decode(i.sha256, 'hex'), i.chunker, decode(i.manifest_root, 'hex'), i.block_count,
          quasar.from_ms(i.created_at_ms))
  ON CONFLICT (org_id, key) DO NOTHING
  RETURNING * INTO stored;
  IF FOUND THEN
    INSERT INTO graviton.manifest_page (org_id, blob_key, page_index, bytes)
    SELECT p_org, stored.key, page.index, page.bytes FROM quasar.split_pages(p_pages, i.pages_at, i.page_sizes) AS page;
  ELSE
    SELECT * INTO stored FROM graviton.blob WHERE org_id = p_org AND key = decode(i.key, 'hex');
  END IF;
  RETURN stored;
END
$$;

-- One outcome an item, in no order. Fails as a whole only for what the server cannot do at all.
CREATE FUNCTION quasar.commit_versions(p_org uuid, p_principal uuid, p_items jsonb, p_pages bytea)
  RETURNS SETOF quasar.commit_outcome LANGUAGE plpgsql AS $$
DECLARE
  fresh quasar.commit_item[];
  others quasar.commit_item[];
  i quasar.commit_item;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
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

GRANT EXECUTE ON FUNCTION
  quasar.from_ms, quasar.to_ms, quasar.commit_fresh, quasar.split_pages, quasar.check_upload, quasar.claim_key,
  quasar.commit_one, quasar.store_blob, quasar.commit_versions
TO quasar_app;
