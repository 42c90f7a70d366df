-- Nobody suspends himself; of two administrators who suspend each other at the same moment, one is too late.

-- Whether nobody else in the org has the role and may act. Runs where the org is set and its row is locked.
CREATE FUNCTION core.is_last_administrator(p_org uuid, p_principal uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM core.principal p
                  WHERE p.org_id = p_org AND p.id = p_principal AND 'admin' = ANY (p.roles) AND p.suspended_at IS NULL)
     AND NOT EXISTS (SELECT FROM core.principal p
                      WHERE p.org_id = p_org AND p.id <> p_principal AND 'admin' = ANY (p.roles) AND p.suspended_at IS NULL)
$$;

-- As before, and 'last_administrator'.
CREATE OR REPLACE FUNCTION core.set_roles(p_org uuid, p_principal uuid, p_roles text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM core.lock_shape(p_org);
  IF NOT 'admin' = ANY (p_roles) AND core.is_last_administrator(p_org, p_principal) THEN
    RETURN 'last_administrator';
  END IF;
  UPDATE core.principal p SET roles = p_roles WHERE p.org_id = p_org AND p.id = p_principal AND p.roles <> p_roles;
  IF FOUND THEN
    RETURN 'changed';
  END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.id = p_principal) THEN 'unchanged'
              ELSE 'principal_missing' END;
END
$$;

-- As before, and 'last_administrator'.
CREATE OR REPLACE FUNCTION core.suspend_principal(p_org uuid, p_principal uuid, p_suspended boolean, p_now_ms bigint) RETURNS text
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM core.lock_shape(p_org);
  IF p_suspended AND core.is_last_administrator(p_org, p_principal) THEN
    RETURN 'last_administrator';
  END IF;
  UPDATE core.principal p SET suspended_at = CASE WHEN p_suspended THEN quasar.from_ms(p_now_ms) END
   WHERE p.org_id = p_org AND p.id = p_principal AND (p.suspended_at IS NOT NULL) <> p_suspended;
  IF FOUND THEN
    RETURN 'changed';
  END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.id = p_principal) THEN 'unchanged'
              ELSE 'principal_missing' END;
END
$$;

GRANT EXECUTE ON FUNCTION core.is_last_administrator TO quasar_app;
