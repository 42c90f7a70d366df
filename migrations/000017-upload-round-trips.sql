-- What an upload does with its session, in one round trip each. The functions name the org themselves and are the whole
-- transaction; `fits` false: the session is not as demanded, nothing was done, and `held` tells why. A null row: there is none of
-- this principal.

CREATE FUNCTION quasar.find_upload(p_org uuid, p_principal uuid, p_id uuid) RETURNS SETOF quasar.upload LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT u.* FROM quasar.upload u WHERE u.org_id = p_org AND u.principal_id = p_principal AND u.id = p_id;
END
$$;

-- Locks the row until the transaction ends. Nulls demand nothing.
CREATE FUNCTION quasar.hold_upload(p_org uuid, p_principal uuid, p_id uuid, p_now_ms bigint, p_fence bigint, p_state text,
                                   OUT fits boolean, OUT held quasar.upload) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  SELECT * INTO held FROM quasar.upload u WHERE u.org_id = p_org AND u.principal_id = p_principal AND u.id = p_id FOR UPDATE;
  fits := FOUND AND held.state IN ('open', 'sealing') AND quasar.to_ms(held.expires_at) > p_now_ms
          AND held.fence = coalesce(p_fence, held.fence) AND held.state = coalesce(p_state, held.state);
END
$$;

CREATE FUNCTION quasar.move_upload(p_org uuid, p_principal uuid, p_id uuid, p_now_ms bigint, p_fence bigint, p_from text, p_to text,
                                   p_expires_ms bigint, OUT fits boolean, OUT held quasar.upload) LANGUAGE plpgsql AS $$
DECLARE
  before record;
BEGIN
  before := quasar.hold_upload(p_org, p_principal, p_id, p_now_ms, p_fence, p_from);
  fits := before.fits;
  held := before.held;
  IF fits THEN
    UPDATE quasar.upload u SET state = p_to, expires_at = quasar.from_ms(p_expires_ms)
     WHERE u.org_id = p_org AND u.id = p_id RETURNING u.* INTO held;
  END IF;
END
$$;

-- Raises the fence. `blocks`: those of the checkpoints, in their order.
CREATE FUNCTION quasar.take_over_upload(p_org uuid, p_principal uuid, p_id uuid, p_now_ms bigint, p_expires_ms bigint,
                                        OUT fits boolean, OUT held quasar.upload, OUT blocks bytea[]) LANGUAGE plpgsql AS $$
DECLARE
  before record;
BEGIN
  before := quasar.hold_upload(p_org, p_principal, p_id, p_now_ms, NULL, NULL);
  fits := before.fits;
  held := before.held;
  IF fits THEN
    UPDATE quasar.upload u SET state = 'open', fence = u.fence + 1, expires_at = quasar.from_ms(p_expires_ms)
     WHERE u.org_id = p_org AND u.id = p_id RETURNING u.* INTO held;
    blocks := ARRAY(SELECT c.blocks FROM quasar.upload_checkpoint c WHERE c.org_id = p_org AND c.upload_id = p_id ORDER BY c.from_block);
  END IF;
END
$$;

-- `p_blocks` null: no further ones. One that was done before is done: the answer to it may have been lost.
CREATE FUNCTION quasar.checkpoint_upload(p_org uuid, p_principal uuid, p_id uuid, p_now_ms bigint, p_fence bigint, p_expires_ms bigint,
                                         p_offset bigint, p_from_block integer, p_block_count integer, p_piece_id bytea,
                                         p_piece_size integer, p_blocks bytea, OUT fits boolean, OUT held quasar.upload)
  LANGUAGE plpgsql AS $$
DECLARE
  before record;
BEGIN
  before := quasar.hold_upload(p_org, p_principal, p_id, p_now_ms, p_fence, 'open');
  fits := before.fits;
  held := before.held;
  IF NOT fits OR (held.block_count = p_block_count AND held.durable_offset = p_offset) THEN
    RETURN;
  END IF;
  ASSERT held.block_count = p_from_block, 'a checkpoint continues the one before';
  ASSERT held.durable_offset <= p_offset, 'a durable prefix never shrinks';
  UPDATE quasar.upload u SET durable_offset = p_offset, block_count = p_block_count, piece_id = p_piece_id, piece_size = p_piece_size,
                             expires_at = quasar.from_ms(p_expires_ms)
   WHERE u.org_id = p_org AND u.id = p_id RETURNING u.* INTO held;
  IF p_blocks IS NOT NULL THEN
    INSERT INTO quasar.upload_checkpoint (org_id, upload_id, from_block, blocks) VALUES (p_org, p_id, p_from_block, p_blocks);
  END IF;
END
$$;

GRANT EXECUTE ON FUNCTION quasar.find_upload, quasar.hold_upload, quasar.move_upload, quasar.take_over_upload, quasar.checkpoint_upload
TO quasar_app;
