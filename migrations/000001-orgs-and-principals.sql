-- Tenancy. Every table below carries org_id, and row-level security holds even for the tables' owner (FORCE), so a
-- statement that forgets its org finds nothing instead of everything. The org is set per transaction:
--   set_config('app.org_id', <id>, true)
-- Policies name their role. Grants give each role the verbs it needs and no more.

CREATE SCHEMA graviton;
CREATE SCHEMA quasar;
GRANT USAGE ON SCHEMA core, graviton, quasar TO quasar_app;
GRANT USAGE ON SCHEMA core TO quasar_definer;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Null when no org is set; null equals nothing, so every policy then refuses.
CREATE FUNCTION core.current_org() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('app.org_id', true), '')::uuid;
GRANT EXECUTE ON FUNCTION core.current_org() TO quasar_app, quasar_definer;

CREATE TABLE core.org (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE core.principal (
  org_id uuid NOT NULL REFERENCES core.org,
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, name)
);

-- UUIDv7: milliseconds in the first 48 bits; the version digit replaces that of a random UUID, whose variant stays.
CREATE FUNCTION pg_temp.new_id() RETURNS uuid LANGUAGE sql AS $$
  SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
          || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;

-- The org and principal of a machine without access control.
WITH local_org AS (
  INSERT INTO core.org (id, name) VALUES (pg_temp.new_id(), 'local') RETURNING id
)
INSERT INTO core.principal (org_id, id, name) SELECT id, pg_temp.new_id(), 'local' FROM local_org;

ALTER TABLE core.org ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.org FORCE ROW LEVEL SECURITY;
CREATE POLICY app_org ON core.org TO quasar_app USING (id = core.current_org());
CREATE POLICY definer_local ON core.org FOR SELECT TO quasar_definer USING (name = 'local');

ALTER TABLE core.principal ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.principal FORCE ROW LEVEL SECURITY;
CREATE POLICY app_org ON core.principal TO quasar_app USING (org_id = core.current_org());
CREATE POLICY definer_local ON core.principal FOR SELECT TO quasar_definer USING (name = 'local');

GRANT SELECT ON core.org, core.principal TO quasar_app, quasar_definer;

-- How the server learns on whose behalf it acts before it can name an org.
CREATE FUNCTION core.find_local_scope() RETURNS TABLE (org_id uuid, principal_id uuid)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
    SELECT p.org_id, p.id FROM core.principal p JOIN core.org o ON o.id = p.org_id
     WHERE o.name = 'local' AND p.name = 'local'
  $$;
GRANT EXECUTE ON FUNCTION core.find_local_scope() TO quasar_app;

-- Only the migrating role itself may hand an object to another owner, and that owner must be able to make it.
GRANT CREATE ON SCHEMA core TO quasar_definer;
SET LOCAL ROLE NONE;
ALTER FUNCTION core.find_local_scope() OWNER TO quasar_definer;
SET LOCAL ROLE quasar_owner;
REVOKE CREATE ON SCHEMA core FROM quasar_definer;
