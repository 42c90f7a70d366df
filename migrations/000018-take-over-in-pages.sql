-- A session of 1 TiB has a million blocks in 16,384 checkpoints: whoever takes it over reads them a run at a time.

-- Entries of the checkpoints that begin at or behind `p_from`, about `p_count` blocks of them; null when there are none.
CREATE FUNCTION quasar.upload_blocks(p_org uuid, p_id uuid, p_from integer, p_count integer) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN (SELECT string_agg(c.blocks, ''::bytea ORDER BY c.from_block) FROM quasar.upload_checkpoint c
           WHERE c.org_id = p_org AND c.upload_id = p_id AND c.from_block >= p_from AND c.from_block < p_from + p_count);
END
$$;

-- Raises the fence. `blocks`: the first `p_count` or so, as `upload_blocks` gives them.
CREATE FUNCTION quasar.claim_upload(p_org uuid, p_principal uuid, p_id uuid, p_now_ms bigint, p_expires_ms bigint, p_count integer,
                                    OUT fits boolean, OUT held quasar.upload, OUT blocks bytea) LANGUAGE plpgsql AS $$
DECLARE
  before record;
BEGIN
  before := quasar.hold_upload(p_org, p_principal, p_id, p_now_ms, NULL, NULL);
  fits := before.fits;
  held := before.held;
  IF fits THEN
    UPDATE quasar.upload u SET state = 'open', fence = u.fence + 1, expires_at = quasar.from_ms(p_expires_ms)
     WHERE u.org_id = p_org AND u.id = p_id RETURNING u.* INTO held;
    blocks := quasar.upload_blocks(p_org, p_id, 0, p_count);
  END IF;
END
$$;

DROP FUNCTION quasar.take_over_upload(uuid, uuid, uuid, bigint, bigint);
GRANT EXECUTE ON FUNCTION quasar.upload_blocks, quasar.claim_upload TO quasar_app;
