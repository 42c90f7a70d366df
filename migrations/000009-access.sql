-- Who may: principals and their roles, groups, folders, access rules, API keys, revoked tokens.
--
-- Every change notifies the channel `quasar_access` with the org's id and one word for what changed, never with a row:
-- whoever may connect may listen. Triggers do it, so that no statement forgets.
--
-- No unique constraint spans orgs: a violation would tell one org what another has.

ALTER TABLE core.org ADD COLUMN suspended_at timestamptz;
GRANT UPDATE (suspended_at) ON core.org TO quasar_app;

ALTER TABLE core.principal
  ADD COLUMN kind text NOT NULL DEFAULT 'service' CHECK (kind IN ('user', 'service')),
  -- What the issuer of its tokens calls it; null when it has none.
  ADD COLUMN subject text CHECK (length(subject) BETWEEN 1 AND 255),
  -- What each role may do is the program's to know: 'admin' is also what later versions can do.
  ADD COLUMN roles text[] NOT NULL DEFAULT '{}' CHECK (roles <@ ARRAY['admin', 'clerk', 'reader', 'auditor']),
  ADD COLUMN suspended_at timestamptz,
  ADD UNIQUE (org_id, subject);
GRANT INSERT ON core.principal TO quasar_app;
GRANT UPDATE (subject, roles, suspended_at) ON core.principal TO quasar_app;

-- Whoever acted for everybody so far goes on as the service account of the administrator. Without FORCE the owner sees it.
ALTER TABLE core.org NO FORCE ROW LEVEL SECURITY;
ALTER TABLE core.principal NO FORCE ROW LEVEL SECURITY;
UPDATE core.principal p SET roles = '{admin}' FROM core.org o WHERE o.id = p.org_id AND o.name = 'local' AND p.name = 'local';
ALTER TABLE core.org FORCE ROW LEVEL SECURITY;
ALTER TABLE core.principal FORCE ROW LEVEL SECURITY;

CREATE TABLE core.principal_group (
  org_id uuid NOT NULL REFERENCES core.org,
  id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, name)
);

CREATE TABLE core.group_member (
  org_id uuid NOT NULL,
  principal_id uuid NOT NULL,
  group_id uuid NOT NULL,
  PRIMARY KEY (org_id, principal_id, group_id),
  FOREIGN KEY (org_id, principal_id) REFERENCES core.principal (org_id, id),
  FOREIGN KEY (org_id, group_id) REFERENCES core.principal_group (org_id, id)
);
CREATE INDEX group_member_by_group ON core.group_member (org_id, group_id, principal_id);

-- Members of `group_id` are members of `within_id`.
CREATE TABLE core.group_nesting (
  org_id uuid NOT NULL,
  group_id uuid NOT NULL,
  within_id uuid NOT NULL CHECK (within_id <> group_id),
  PRIMARY KEY (org_id, group_id, within_id),
  FOREIGN KEY (org_id, group_id) REFERENCES core.principal_group (org_id, id),
  FOREIGN KEY (org_id, within_id) REFERENCES core.principal_group (org_id, id)
);
CREATE INDEX group_nesting_by_within ON core.group_nesting (org_id, within_id, group_id);

-- Names may repeat: that one is taken would tell of a folder that must not be known.
CREATE TABLE quasar.folder (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  parent_id uuid CHECK (parent_id <> id),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  case_number text CHECK (length(case_number) BETWEEN 1 AND 200),
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, parent_id) REFERENCES quasar.folder (org_id, id)
);
CREATE INDEX folder_by_parent ON quasar.folder (org_id, parent_id, id);
CREATE INDEX folder_by_case ON quasar.folder (org_id, case_number, id) WHERE case_number IS NOT NULL;

ALTER TABLE quasar.document
  ADD COLUMN folder_id uuid,
  ADD FOREIGN KEY (org_id, folder_id) REFERENCES quasar.folder (org_id, id);
CREATE INDEX document_by_folder ON quasar.document (org_id, folder_id, id) WHERE folder_id IS NOT NULL;

-- The rules of a place: each change is a further set, the highest version holds, the first is 1. Nothing is updated, so
-- what the rules were can always be told; hence no foreign key to folders, which may go.
CREATE TABLE quasar.rule_set (
  org_id uuid NOT NULL,
  place_kind text NOT NULL CHECK (place_kind IN ('document', 'folder', 'org')),
  place_id uuid NOT NULL CHECK (place_kind <> 'org' OR place_id = org_id),
  version integer NOT NULL CHECK (version >= 1),
  changed_by uuid NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, place_kind, place_id, version)
);

CREATE TABLE quasar.access_rule (
  org_id uuid NOT NULL,
  place_kind text NOT NULL,
  place_id uuid NOT NULL,
  version integer NOT NULL,
  -- The place in the list, from 1.
  n integer NOT NULL,
  id uuid NOT NULL,
  effect text NOT NULL CHECK (effect IN ('allow', 'deny')),
  -- A mask, as in src/core/capability.ts.
  actions integer NOT NULL CHECK (actions > 0),
  -- Principals and groups.
  principals uuid[] NOT NULL CHECK (cardinality(principals) > 0 AND array_position(principals, NULL) IS NULL),
  PRIMARY KEY (org_id, place_kind, place_id, version, n),
  FOREIGN KEY (org_id, place_kind, place_id, version) REFERENCES quasar.rule_set (org_id, place_kind, place_id, version)
);

CREATE TABLE core.api_key (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  principal_id uuid NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  -- A mask, as in src/core/capability.ts: what the key may be used for at most.
  scope integer NOT NULL CHECK (scope >= 0),
  -- HMAC-SHA-256 of the whole key under the pepper.
  mac core.digest NOT NULL,
  created_by uuid NOT NULL,
  created_at timestamptz NOT NULL,
  -- Null: never.
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_by uuid,
  -- To the minute.
  last_used_at timestamptz,
  PRIMARY KEY (org_id, id),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
  FOREIGN KEY (org_id, principal_id) REFERENCES core.principal (org_id, id)
);
CREATE INDEX api_key_by_id ON core.api_key (id);

CREATE TABLE core.revoked_token (
  org_id uuid NOT NULL,
  jti text NOT NULL CHECK (length(jti) BETWEEN 1 AND 255),
  -- From then on nobody takes the token, revoked or not, and the row may go.
  expires_at timestamptz NOT NULL,
  revoked_by uuid NOT NULL,
  revoked_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, jti)
);
CREATE INDEX revoked_token_by_expiry ON core.revoked_token (org_id, expires_at);

DO $$
DECLARE
  at regclass;
BEGIN
  FOREACH at IN ARRAY ARRAY['core.principal_group', 'core.group_member', 'core.group_nesting', 'quasar.folder', 'quasar.rule_set',
                            'quasar.access_rule', 'core.api_key', 'core.revoked_token']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', at);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', at);
    EXECUTE format('CREATE POLICY app_org ON %s TO quasar_app USING (org_id = core.current_org())', at);
  END LOOP;
END
$$;
-- To lock a group's row takes the right to update something of it.
GRANT SELECT, INSERT, DELETE, UPDATE (name) ON core.principal_group TO quasar_app;
GRANT SELECT, INSERT, DELETE ON core.group_member, core.group_nesting TO quasar_app;
GRANT SELECT, INSERT, DELETE, UPDATE (parent_id, name, case_number) ON quasar.folder TO quasar_app;
GRANT SELECT, INSERT ON quasar.rule_set, quasar.access_rule TO quasar_app;
GRANT SELECT, INSERT, UPDATE (revoked_at, revoked_by, last_used_at) ON core.api_key TO quasar_app;
GRANT SELECT, INSERT, DELETE, UPDATE (expires_at) ON core.revoked_token TO quasar_app;

-- '<org id> <what changed>'.
CREATE FUNCTION core.tell_access_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'org' THEN
    PERFORM pg_notify('quasar_access', NEW.id || ' org');
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM pg_notify('quasar_access', OLD.org_id || ' ' || TG_ARGV[0]);
  ELSE
    PERFORM pg_notify('quasar_access', NEW.org_id || ' ' || TG_ARGV[0]);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER tell AFTER UPDATE ON core.org FOR EACH ROW EXECUTE FUNCTION core.tell_access_change();
CREATE TRIGGER tell AFTER INSERT OR UPDATE ON core.principal FOR EACH ROW EXECUTE FUNCTION core.tell_access_change('principal');
CREATE TRIGGER tell AFTER INSERT OR DELETE ON core.group_member FOR EACH ROW EXECUTE FUNCTION core.tell_access_change('group');
CREATE TRIGGER tell AFTER INSERT OR DELETE ON core.group_nesting FOR EACH ROW EXECUTE FUNCTION core.tell_access_change('group');
CREATE TRIGGER tell AFTER DELETE OR UPDATE OF parent_id ON quasar.folder
  FOR EACH ROW EXECUTE FUNCTION core.tell_access_change('folder');
CREATE TRIGGER tell AFTER UPDATE OF folder_id ON quasar.document FOR EACH ROW EXECUTE FUNCTION core.tell_access_change('folder');
CREATE TRIGGER tell AFTER INSERT ON quasar.rule_set FOR EACH ROW EXECUTE FUNCTION core.tell_access_change('rules');
CREATE TRIGGER tell AFTER INSERT OR UPDATE OF revoked_at ON core.api_key
  FOR EACH ROW EXECUTE FUNCTION core.tell_access_change('key');
CREATE TRIGGER tell AFTER INSERT OR UPDATE ON core.revoked_token FOR EACH ROW EXECUTE FUNCTION core.tell_access_change('token');

-- Changes to the shape of groups or folders, one after the other: two that are harmless alone may make a ring together.
CREATE FUNCTION core.lock_shape(p_org uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM core.org o WHERE o.id = p_org FOR NO KEY UPDATE;
END
$$;

-- Outcomes: 'changed', 'unchanged'. Suspends, or lifts the suspension.
CREATE FUNCTION core.suspend_org(p_org uuid, p_suspended boolean, p_now_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  UPDATE core.org o SET suspended_at = CASE WHEN p_suspended THEN quasar.from_ms(p_now_ms) END
   WHERE o.id = p_org AND (o.suspended_at IS NOT NULL) <> p_suspended;
  RETURN CASE WHEN FOUND THEN 'changed' ELSE 'unchanged' END;
END
$$;

-- Outcomes: 'created', 'name_taken', 'subject_taken'.
CREATE FUNCTION core.create_principal(p_org uuid, p_id uuid, p_kind text, p_name text, p_subject text, p_roles text[], p_now_ms bigint)
  RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  INSERT INTO core.principal (org_id, id, kind, name, subject, roles, created_at)
  VALUES (p_org, p_id, p_kind, p_name, p_subject, p_roles, quasar.from_ms(p_now_ms)) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    RETURN 'created';
  END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.name = p_name) THEN 'name_taken'
              ELSE 'subject_taken' END;
END
$$;

-- Outcomes: 'changed', 'unchanged', 'principal_missing'.
CREATE FUNCTION core.set_roles(p_org uuid, p_principal uuid, p_roles text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  UPDATE core.principal p SET roles = p_roles WHERE p.org_id = p_org AND p.id = p_principal AND p.roles <> p_roles;
  IF FOUND THEN
    RETURN 'changed';
  END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.id = p_principal) THEN 'unchanged'
              ELSE 'principal_missing' END;
END
$$;

-- Outcomes: 'changed', 'unchanged', 'principal_missing'.
CREATE FUNCTION core.suspend_principal(p_org uuid, p_principal uuid, p_suspended boolean, p_now_ms bigint) RETURNS text
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  UPDATE core.principal p SET suspended_at = CASE WHEN p_suspended THEN quasar.from_ms(p_now_ms) END
   WHERE p.org_id = p_org AND p.id = p_principal AND (p.suspended_at IS NOT NULL) <> p_suspended;
  IF FOUND THEN
    RETURN 'changed';
  END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.id = p_principal) THEN 'unchanged'
              ELSE 'principal_missing' END;
END
$$;

-- In the order of their ids, after the one given.
CREATE FUNCTION core.list_principals(p_org uuid, p_after uuid, p_limit integer)
  RETURNS TABLE (id uuid, kind text, name text, subject text, roles text[], created_at_ms double precision, suspended_at_ms double precision)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT p.id, p.kind, p.name, p.subject, p.roles, quasar.to_ms(p.created_at), quasar.to_ms(p.suspended_at)
    FROM core.principal p WHERE p.org_id = p_org AND (p_after IS NULL OR p.id > p_after) ORDER BY p.id LIMIT p_limit;
END
$$;

-- Whose token it is. The token names the org, so the rights of the application are enough.
CREATE FUNCTION core.find_principal(p_org uuid, p_subject text) RETURNS TABLE (principal_id uuid, suspended boolean)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT p.id, p.suspended_at IS NOT NULL OR o.suspended_at IS NOT NULL
    FROM core.principal p JOIN core.org o ON o.id = p.org_id WHERE p.org_id = p_org AND p.subject = p_subject;
END
$$;

-- All that bears on a decision about a principal. Groups within groups count each once.
CREATE FUNCTION core.load_requester(p_org uuid, p_principal uuid) RETURNS TABLE (suspended boolean, roles text[], groups uuid[])
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY
  WITH RECURSIVE around AS (
    SELECT m.group_id AS id FROM core.group_member m WHERE m.org_id = p_org AND m.principal_id = p_principal
    UNION
    SELECT n.within_id FROM around JOIN core.group_nesting n ON n.org_id = p_org AND n.group_id = around.id
  )
  SELECT p.suspended_at IS NOT NULL OR o.suspended_at IS NOT NULL, p.roles, ARRAY(SELECT around.id FROM around)
    FROM core.principal p JOIN core.org o ON o.id = p.org_id WHERE p.org_id = p_org AND p.id = p_principal;
END
$$;

-- Outcomes: 'created', 'name_taken', 'groups_full'.
CREATE FUNCTION core.create_group(p_org uuid, p_principal uuid, p_id uuid, p_name text, p_groups_max integer, p_now_ms bigint)
  RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM core.lock_shape(p_org);
  IF (SELECT count(*) FROM core.principal_group g WHERE g.org_id = p_org) >= p_groups_max THEN
    RETURN 'groups_full';
  END IF;
  INSERT INTO core.principal_group (org_id, id, name, created_by, created_at)
  VALUES (p_org, p_id, p_name, p_principal, quasar.from_ms(p_now_ms)) ON CONFLICT (org_id, name) DO NOTHING;
  RETURN CASE WHEN FOUND THEN 'created' ELSE 'name_taken' END;
END
$$;

-- With its memberships. Rules that name it stay as they are and are about nobody. Outcomes: 'deleted', 'group_missing'.
CREATE FUNCTION core.delete_group(p_org uuid, p_group uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  -- Whoever adds a member holds the row until the membership can be seen here.
  PERFORM FROM core.principal_group g WHERE g.org_id = p_org AND g.id = p_group FOR UPDATE;
  DELETE FROM core.group_member m WHERE m.org_id = p_org AND m.group_id = p_group;
  DELETE FROM core.group_nesting n WHERE n.org_id = p_org AND n.group_id = p_group;
  DELETE FROM core.group_nesting n WHERE n.org_id = p_org AND n.within_id = p_group;
  DELETE FROM core.principal_group g WHERE g.org_id = p_org AND g.id = p_group;
  RETURN CASE WHEN FOUND THEN 'deleted' ELSE 'group_missing' END;
END
$$;

-- Outcomes: 'added', 'unchanged', 'group_missing', 'member_missing'.
CREATE FUNCTION core.add_member(p_org uuid, p_group uuid, p_member uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM FROM core.principal_group g WHERE g.org_id = p_org AND g.id = p_group FOR KEY SHARE;
  IF NOT FOUND THEN
    RETURN 'group_missing';
  END IF;
  PERFORM FROM core.principal p WHERE p.org_id = p_org AND p.id = p_member;
  IF NOT FOUND THEN
    RETURN 'member_missing';
  END IF;
  INSERT INTO core.group_member (org_id, principal_id, group_id) VALUES (p_org, p_member, p_group) ON CONFLICT DO NOTHING;
  RETURN CASE WHEN FOUND THEN 'added' ELSE 'unchanged' END;
END
$$;

-- Depth counts groups along the longest line. Outcomes: 'added', 'unchanged', 'group_missing', 'member_missing', 'cycle',
-- 'too_deep'.
CREATE FUNCTION core.nest_group(p_org uuid, p_group uuid, p_member uuid, p_depth_max integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  above integer;
  below integer;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM core.lock_shape(p_org);
  PERFORM FROM core.principal_group g WHERE g.org_id = p_org AND g.id = p_group FOR KEY SHARE;
  IF NOT FOUND THEN
    RETURN 'group_missing';
  END IF;
  PERFORM FROM core.principal_group g WHERE g.org_id = p_org AND g.id = p_member FOR KEY SHARE;
  IF NOT FOUND THEN
    RETURN 'member_missing';
  END IF;
  WITH RECURSIVE line (id, depth) AS (
    SELECT p_group, 1
    UNION
    SELECT n.within_id, line.depth + 1 FROM line JOIN core.group_nesting n ON n.org_id = p_org AND n.group_id = line.id
     WHERE line.depth <= p_depth_max
  ) SELECT CASE WHEN bool_or(id = p_member) THEN 0 ELSE max(depth) END INTO above FROM line;
  IF above = 0 THEN
    RETURN 'cycle';
  END IF;
  WITH RECURSIVE line (id, depth) AS (
    SELECT p_member, 1
    UNION
    SELECT n.group_id, line.depth + 1 FROM line JOIN core.group_nesting n ON n.org_id = p_org AND n.within_id = line.id
     WHERE line.depth <= p_depth_max
  ) SELECT max(depth) INTO below FROM line;
  IF above + below > p_depth_max THEN
    RETURN 'too_deep';
  END IF;
  INSERT INTO core.group_nesting (org_id, group_id, within_id) VALUES (p_org, p_member, p_group) ON CONFLICT DO NOTHING;
  RETURN CASE WHEN FOUND THEN 'added' ELSE 'unchanged' END;
END
$$;

-- A principal or a group. Outcomes: 'removed', 'unchanged'.
CREATE FUNCTION core.remove_member(p_org uuid, p_group uuid, p_member uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  removed integer;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  WITH person AS (
    DELETE FROM core.group_member m WHERE m.org_id = p_org AND m.group_id = p_group AND m.principal_id = p_member RETURNING 1
  ), nested AS (
    DELETE FROM core.group_nesting n WHERE n.org_id = p_org AND n.within_id = p_group AND n.group_id = p_member RETURNING 1
  ) SELECT count(*) INTO removed FROM (TABLE person UNION ALL TABLE nested) AS gone;
  RETURN CASE WHEN removed > 0 THEN 'removed' ELSE 'unchanged' END;
END
$$;

CREATE FUNCTION core.list_groups(p_org uuid, p_after uuid, p_limit integer)
  RETURNS TABLE (id uuid, name text, created_at_ms double precision) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT g.id, g.name, quasar.to_ms(g.created_at) FROM core.principal_group g
   WHERE g.org_id = p_org AND (p_after IS NULL OR g.id > p_after) ORDER BY g.id LIMIT p_limit;
END
$$;

-- Principals and groups that are members themselves, in the order of their ids.
CREATE FUNCTION core.list_members(p_org uuid, p_group uuid, p_after uuid, p_limit integer)
  RETURNS TABLE (id uuid, kind text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT member.id, member.kind
    FROM (SELECT m.principal_id AS id, 'principal' AS kind FROM core.group_member m WHERE m.org_id = p_org AND m.group_id = p_group
           UNION ALL
          SELECT n.group_id, 'group' FROM core.group_nesting n WHERE n.org_id = p_org AND n.within_id = p_group) AS member
   WHERE p_after IS NULL OR member.id > p_after ORDER BY member.id LIMIT p_limit;
END
$$;

-- How many folders lie on the line from this one outwards, itself included; 0 when `p_without` is one of them.
CREATE FUNCTION quasar.folder_depth(p_org uuid, p_folder uuid, p_without uuid, p_depth_max integer) RETURNS integer LANGUAGE sql STABLE AS $$
  WITH RECURSIVE line (id, parent_id, depth) AS (
    SELECT f.id, f.parent_id, 1 FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_folder
    UNION ALL
    SELECT f.id, f.parent_id, line.depth + 1 FROM line JOIN quasar.folder f ON f.org_id = p_org AND f.id = line.parent_id
     WHERE line.depth <= p_depth_max
  ) SELECT CASE WHEN bool_or(id = p_without) THEN 0 ELSE max(depth) END FROM line
$$;

-- Outcomes: 'created', 'parent_missing', 'too_deep'.
CREATE FUNCTION quasar.create_folder(p_org uuid, p_principal uuid, p_id uuid, p_parent uuid, p_name text, p_case_number text,
                                     p_depth_max integer, p_now_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  IF p_parent IS NOT NULL THEN
    -- Excludes moves, not other makers.
    PERFORM FROM core.org o WHERE o.id = p_org FOR SHARE;
    PERFORM FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_parent FOR KEY SHARE;
    IF NOT FOUND THEN
      RETURN 'parent_missing';
    ELSIF quasar.folder_depth(p_org, p_parent, NULL, p_depth_max) >= p_depth_max THEN
      RETURN 'too_deep';
    END IF;
  END IF;
  INSERT INTO quasar.folder (org_id, id, parent_id, name, case_number, created_by, created_at)
  VALUES (p_org, p_id, p_parent, p_name, p_case_number, p_principal, quasar.from_ms(p_now_ms));
  RETURN 'created';
END
$$;

-- With all that is in it; null: outwards of all. Outcomes: 'moved', 'unchanged', 'folder_missing', 'parent_missing', 'cycle',
-- 'too_deep'.
CREATE FUNCTION quasar.move_folder(p_org uuid, p_folder uuid, p_parent uuid, p_depth_max integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  above integer := 0;
  below integer;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM core.lock_shape(p_org);
  PERFORM FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_folder FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'folder_missing';
  END IF;
  IF p_parent IS NOT NULL THEN
    PERFORM FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_parent FOR KEY SHARE;
    IF NOT FOUND THEN
      RETURN 'parent_missing';
    END IF;
    above := quasar.folder_depth(p_org, p_parent, p_folder, p_depth_max);
    IF above = 0 THEN
      RETURN 'cycle';
    END IF;
  END IF;
  WITH RECURSIVE line (id, depth) AS (
    SELECT p_folder, 1
    UNION ALL
    SELECT f.id, line.depth + 1 FROM line JOIN quasar.folder f ON f.org_id = p_org AND f.parent_id = line.id
     WHERE line.depth <= p_depth_max
  ) SELECT max(depth) INTO below FROM line;
  IF above + below > p_depth_max THEN
    RETURN 'too_deep';
  END IF;
  UPDATE quasar.folder f SET parent_id = p_parent WHERE f.org_id = p_org AND f.id = p_folder AND f.parent_id IS DISTINCT FROM p_parent;
  RETURN CASE WHEN FOUND THEN 'moved' ELSE 'unchanged' END;
END
$$;

-- Outcomes: 'deleted', 'folder_missing', 'folder_not_empty'.
CREATE FUNCTION quasar.delete_folder(p_org uuid, p_folder uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  DELETE FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_folder;
  RETURN CASE WHEN FOUND THEN 'deleted' ELSE 'folder_missing' END;
EXCEPTION WHEN foreign_key_violation THEN
  RETURN 'folder_not_empty';
END
$$;

CREATE FUNCTION quasar.find_folder(p_org uuid, p_folder uuid)
  RETURNS TABLE (id uuid, parent_id uuid, name text, case_number text, created_at_ms double precision) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT f.id, f.parent_id, f.name, f.case_number, quasar.to_ms(f.created_at) FROM quasar.folder f
   WHERE f.org_id = p_org AND f.id = p_folder;
END
$$;

-- Those right within a folder, or outermost of all, in the order of their ids.
CREATE FUNCTION quasar.list_folders(p_org uuid, p_parent uuid, p_after uuid, p_limit integer)
  RETURNS TABLE (id uuid, parent_id uuid, name text, case_number text, created_at_ms double precision) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT f.id, f.parent_id, f.name, f.case_number, quasar.to_ms(f.created_at) FROM quasar.folder f
   WHERE f.org_id = p_org AND CASE WHEN p_parent IS NULL THEN f.parent_id IS NULL ELSE f.parent_id = p_parent END
     AND (p_after IS NULL OR f.id > p_after)
   ORDER BY f.id LIMIT p_limit;
END
$$;

-- Null: into no folder. Outcomes: 'placed', 'unchanged', 'document_missing', 'folder_missing'.
CREATE FUNCTION quasar.place_document(p_org uuid, p_document uuid, p_folder uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_document FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'document_missing';
  END IF;
  IF p_folder IS NOT NULL THEN
    PERFORM FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_folder FOR KEY SHARE;
    IF NOT FOUND THEN
      RETURN 'folder_missing';
    END IF;
  END IF;
  UPDATE quasar.document d SET folder_id = p_folder WHERE d.org_id = p_org AND d.id = p_document AND d.folder_id IS DISTINCT FROM p_folder;
  RETURN CASE WHEN FOUND THEN 'placed' ELSE 'unchanged' END;
END
$$;

-- Compare-and-set: the set with the next version is made by one writer only. `p_rules` is a JSON array of objects with id,
-- effect, actions (mask), principals. Outcomes: 'replaced' with the new version; 'rules_changed' with the version there is;
-- 'place_missing'; 'subject_missing' with the id that is neither a principal's nor a group's.
CREATE FUNCTION quasar.replace_rules(p_org uuid, p_principal uuid, p_kind text, p_id uuid, p_expected integer, p_rules json, p_now_ms bigint)
  RETURNS TABLE (outcome text, version integer, subject_id uuid) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  held integer;
  stranger uuid;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  CASE p_kind
    WHEN 'document' THEN PERFORM FROM quasar.document d WHERE d.org_id = p_org AND d.id = p_id FOR KEY SHARE;
    WHEN 'folder' THEN PERFORM FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_id FOR KEY SHARE;
    WHEN 'org' THEN PERFORM FROM core.org o WHERE o.id = p_org AND o.id = p_id;
  END CASE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'place_missing', NULL::integer, NULL::uuid;
    RETURN;
  END IF;
  held := coalesce((SELECT max(s.version) FROM quasar.rule_set s
                     WHERE s.org_id = p_org AND s.place_kind = p_kind AND s.place_id = p_id), 0);
  IF held <> p_expected THEN
    RETURN QUERY SELECT 'rules_changed', held, NULL::uuid;
    RETURN;
  END IF;
  SELECT named.id INTO stranger
    FROM (SELECT DISTINCT json_array_elements_text(rule -> 'principals')::uuid AS id FROM json_array_elements(p_rules) AS rule) AS named
   WHERE NOT EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.id = named.id)
     AND NOT EXISTS (SELECT FROM core.principal_group g WHERE g.org_id = p_org AND g.id = named.id)
   ORDER BY named.id LIMIT 1;
  IF FOUND THEN
    RETURN QUERY SELECT 'subject_missing', held, stranger;
    RETURN;
  END IF;

  INSERT INTO quasar.rule_set (org_id, place_kind, place_id, version, changed_by, changed_at)
  VALUES (p_org, p_kind, p_id, held + 1, p_principal, quasar.from_ms(p_now_ms)) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'rules_changed', max(s.version), NULL::uuid FROM quasar.rule_set s
     WHERE s.org_id = p_org AND s.place_kind = p_kind AND s.place_id = p_id;
    RETURN;
  END IF;
  INSERT INTO quasar.access_rule (org_id, place_kind, place_id, version, n, id, effect, actions, principals)
  SELECT p_org, p_kind, p_id, held + 1, n, (rule ->> 'id')::uuid, rule ->> 'effect', (rule ->> 'actions')::integer,
         ARRAY(SELECT json_array_elements_text(rule -> 'principals')::uuid)
    FROM json_array_elements(p_rules) WITH ORDINALITY AS list (rule, n);
  RETURN QUERY SELECT 'replaced', held + 1, NULL::uuid;
END
$$;

-- Runs where the org is set.
CREATE FUNCTION quasar.rules_of(p_org uuid, p_kind text, p_id uuid, p_version integer) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT coalesce(json_agg(json_build_object('id', r.id, 'effect', r.effect, 'actions', r.actions, 'principals', r.principals)
                           ORDER BY r.n), '[]'::json)
    FROM quasar.access_rule r WHERE r.org_id = p_org AND r.place_kind = p_kind AND r.place_id = p_id AND r.version = p_version
$$;

-- The places that have a say about one, itself first, then folders outwards, the org last; no row when it is absent. Version
-- 0: it never had rules.
CREATE FUNCTION quasar.load_access_list(p_org uuid, p_kind text, p_id uuid, p_depth_max integer)
  RETURNS TABLE (kind text, place_id uuid, version integer, rules json) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY
  WITH RECURSIVE start AS MATERIALIZED (
    SELECT d.folder_id FROM quasar.document d WHERE p_kind = 'document' AND d.org_id = p_org AND d.id = p_id
    UNION ALL
    SELECT f.id FROM quasar.folder f WHERE p_kind = 'folder' AND f.org_id = p_org AND f.id = p_id
    UNION ALL
    SELECT NULL FROM core.org o WHERE p_kind = 'org' AND o.id = p_org AND o.id = p_id
  ), line AS (
    SELECT f.id, f.parent_id, 1 AS depth FROM start JOIN quasar.folder f ON f.org_id = p_org AND f.id = start.folder_id
    UNION ALL
    SELECT f.id, f.parent_id, line.depth + 1 FROM line JOIN quasar.folder f ON f.org_id = p_org AND f.id = line.parent_id
     WHERE line.depth <= p_depth_max
  ), place AS (
    SELECT 0 AS n, 'document' AS kind, p_id AS id FROM start WHERE p_kind = 'document'
    UNION ALL
    SELECT line.depth, 'folder', line.id FROM line
    UNION ALL
    SELECT p_depth_max + 2, 'org', p_org FROM start
  )
  SELECT place.kind, place.id, coalesce(held.version, 0),
         CASE WHEN held.version IS NULL THEN '[]'::json ELSE quasar.rules_of(p_org, place.kind, place.id, held.version) END
    FROM place LEFT JOIN LATERAL (
         SELECT s.version FROM quasar.rule_set s
          WHERE s.org_id = p_org AND s.place_kind = place.kind AND s.place_id = place.id
          ORDER BY s.version DESC LIMIT 1) AS held ON true
   ORDER BY place.n;
END
$$;

-- Latest first, before a version.
CREATE FUNCTION quasar.list_rule_changes(p_org uuid, p_kind text, p_id uuid, p_before integer, p_limit integer)
  RETURNS TABLE (version integer, rules json, changed_by uuid, changed_at_ms double precision) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT s.version, quasar.rules_of(p_org, p_kind, p_id, s.version), s.changed_by, quasar.to_ms(s.changed_at)
    FROM quasar.rule_set s
   WHERE s.org_id = p_org AND s.place_kind = p_kind AND s.place_id = p_id AND (p_before IS NULL OR s.version < p_before)
   ORDER BY s.version DESC LIMIT p_limit;
END
$$;

-- Of revoked keys only the revocation is kept from the bound. Outcomes: 'created', 'principal_missing', 'keys_full'.
CREATE FUNCTION core.create_key(p_org uuid, p_principal uuid, p_id uuid, p_for uuid, p_name text, p_scope integer, p_mac text,
                                p_expires_ms bigint, p_keys_max integer, p_now_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM FROM core.principal p WHERE p.org_id = p_org AND p.id = p_for FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'principal_missing';
  END IF;
  IF (SELECT count(*) FROM core.api_key k WHERE k.org_id = p_org AND k.principal_id = p_for AND k.revoked_at IS NULL) >= p_keys_max THEN
    RETURN 'keys_full';
  END IF;
  INSERT INTO core.api_key (org_id, id, principal_id, name, scope, mac, created_by, created_at, expires_at)
  VALUES (p_org, p_id, p_for, p_name, p_scope, decode(p_mac, 'hex'), p_principal, quasar.from_ms(p_now_ms), quasar.from_ms(p_expires_ms));
  RETURN 'created';
END
$$;

-- Outcomes: 'revoked', 'unchanged', 'key_missing'.
CREATE FUNCTION core.revoke_key(p_org uuid, p_principal uuid, p_key uuid, p_now_ms bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  UPDATE core.api_key k SET revoked_at = quasar.from_ms(p_now_ms), revoked_by = p_principal
   WHERE k.org_id = p_org AND k.id = p_key AND k.revoked_at IS NULL;
  IF FOUND THEN
    RETURN 'revoked';
  END IF;
  RETURN CASE WHEN EXISTS (SELECT FROM core.api_key k WHERE k.org_id = p_org AND k.id = p_key) THEN 'unchanged' ELSE 'key_missing' END;
END
$$;

-- Of one principal, or of all; in the order of their ids. The secrets' codes stay here.
CREATE FUNCTION core.list_keys(p_org uuid, p_for uuid, p_after uuid, p_limit integer)
  RETURNS TABLE (id uuid, principal_id uuid, name text, scope integer, created_at_ms double precision, expires_at_ms double precision,
                 revoked_at_ms double precision, last_used_at_ms double precision)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT k.id, k.principal_id, k.name, k.scope, quasar.to_ms(k.created_at), quasar.to_ms(k.expires_at),
                      quasar.to_ms(k.revoked_at), quasar.to_ms(k.last_used_at)
    FROM core.api_key k
   WHERE k.org_id = p_org AND (p_for IS NULL OR k.principal_id = p_for) AND (p_after IS NULL OR k.id > p_after)
   ORDER BY k.id LIMIT p_limit;
END
$$;

-- Writes nothing unless the last use written is that long ago.
CREATE FUNCTION core.note_key_use(p_org uuid, p_key uuid, p_now_ms bigint, p_interval_ms bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  UPDATE core.api_key k SET last_used_at = quasar.from_ms(p_now_ms)
   WHERE k.org_id = p_org AND k.id = p_key
     AND (k.last_used_at IS NULL OR k.last_used_at <= quasar.from_ms(p_now_ms - p_interval_ms));
  RETURN FOUND;
END
$$;

-- The org of one key, by its exact id; all that can be learnt before an org is known. Of two with one id the first made.
CREATE FUNCTION core.find_key_org(p_key uuid) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$ SELECT k.org_id FROM core.api_key k WHERE k.id = p_key ORDER BY k.created_at, k.org_id LIMIT 1 $$;

-- The same statements whether there is such a key or not.
CREATE FUNCTION core.find_api_key(p_key uuid)
  RETURNS TABLE (org_id uuid, principal_id uuid, scope integer, mac bytea, expires_at_ms double precision, revoked_at_ms double precision,
                 last_used_at_ms double precision, suspended boolean)
  LANGUAGE plpgsql AS $$
DECLARE
  found_org uuid := core.find_key_org(p_key);
BEGIN
  PERFORM set_config('app.org_id', coalesce(found_org::text, ''), true);
  RETURN QUERY SELECT k.org_id, k.principal_id, k.scope, k.mac::bytea, quasar.to_ms(k.expires_at), quasar.to_ms(k.revoked_at),
                      quasar.to_ms(k.last_used_at), p.suspended_at IS NOT NULL OR o.suspended_at IS NOT NULL
    FROM core.api_key k JOIN core.principal p ON p.org_id = k.org_id AND p.id = k.principal_id JOIN core.org o ON o.id = k.org_id
   WHERE k.org_id = found_org AND k.id = p_key;
END
$$;

-- Revoking twice keeps the later end. Takes some of those that have run out along.
CREATE FUNCTION core.revoke_token(p_org uuid, p_principal uuid, p_jti text, p_expires_ms bigint, p_cleared_max integer, p_now_ms bigint)
  RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  INSERT INTO core.revoked_token AS t (org_id, jti, expires_at, revoked_by, revoked_at)
  VALUES (p_org, p_jti, quasar.from_ms(p_expires_ms), p_principal, quasar.from_ms(p_now_ms))
  ON CONFLICT (org_id, jti) DO UPDATE SET expires_at = excluded.expires_at WHERE t.expires_at < excluded.expires_at;
  DELETE FROM core.revoked_token t WHERE t.org_id = p_org AND t.jti IN (
    SELECT old.jti FROM core.revoked_token old WHERE old.org_id = p_org AND old.expires_at <= quasar.from_ms(p_now_ms)
     ORDER BY old.expires_at LIMIT p_cleared_max FOR UPDATE SKIP LOCKED);
END
$$;

-- What a process without memory of it asks: whether the token, whom it was issued to or their org is revoked. An unknown
-- subject is not.
CREATE FUNCTION core.is_token_revoked(p_org uuid, p_jti text, p_subject text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN EXISTS (SELECT FROM core.revoked_token t WHERE t.org_id = p_org AND t.jti = p_jti)
      OR EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.subject = p_subject AND p.suspended_at IS NOT NULL)
      OR EXISTS (SELECT FROM core.org o WHERE o.id = p_org AND o.suspended_at IS NOT NULL);
END
$$;

-- Of all orgs, for the memory of a process that serves them all: names alone. Null: does not end by itself.
CREATE FUNCTION core.list_revocations(p_limit integer, p_now_ms bigint)
  RETURNS TABLE (kind text, org_id uuid, id text, until_ms double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
    SELECT 'org', o.id, o.id::text, NULL::double precision FROM core.org o WHERE o.suspended_at IS NOT NULL
    UNION ALL
    SELECT 'principal', p.org_id, goes_by.name, NULL
      FROM core.principal p, unnest(ARRAY[p.id::text, p.subject]) AS goes_by (name)
     WHERE p.suspended_at IS NOT NULL AND goes_by.name IS NOT NULL
    UNION ALL
    SELECT 'token', t.org_id, t.jti, floor(extract(epoch FROM t.expires_at) * 1000)::double precision
      FROM core.revoked_token t WHERE t.expires_at > to_timestamp(p_now_ms / 1000.0::double precision)
    UNION ALL
    SELECT 'api_key', k.org_id, k.id::text, floor(extract(epoch FROM k.expires_at) * 1000)::double precision
      FROM core.api_key k
     WHERE k.revoked_at IS NOT NULL AND (k.expires_at IS NULL OR k.expires_at > to_timestamp(p_now_ms / 1000.0::double precision))
    LIMIT p_limit
  $$;

-- What the two functions above need, and no more: the secrets' codes are not among it.
CREATE POLICY definer_suspended ON core.org FOR SELECT TO quasar_definer USING (suspended_at IS NOT NULL);
CREATE POLICY definer_suspended ON core.principal FOR SELECT TO quasar_definer USING (suspended_at IS NOT NULL);
CREATE POLICY definer_key ON core.api_key FOR SELECT TO quasar_definer USING (true);
CREATE POLICY definer_token ON core.revoked_token FOR SELECT TO quasar_definer USING (true);
GRANT SELECT (org_id, id, created_at, expires_at, revoked_at) ON core.api_key TO quasar_definer;
GRANT SELECT (org_id, jti, expires_at) ON core.revoked_token TO quasar_definer;

GRANT EXECUTE ON FUNCTION core.lock_shape, core.suspend_org, core.create_principal, core.set_roles, core.suspend_principal,
  core.list_principals, core.find_principal, core.load_requester, core.create_group, core.delete_group, core.add_member,
  core.nest_group, core.remove_member, core.list_groups, core.list_members, core.create_key, core.revoke_key, core.list_keys,
  core.note_key_use, core.find_key_org, core.find_api_key, core.revoke_token, core.is_token_revoked, core.list_revocations TO quasar_app;
GRANT EXECUTE ON FUNCTION quasar.folder_depth, quasar.create_folder, quasar.move_folder, quasar.delete_folder, quasar.find_folder,
  quasar.list_folders, quasar.place_document, quasar.replace_rules, quasar.rules_of, quasar.load_access_list,
  quasar.list_rule_changes TO quasar_app;

-- As in 000001: only the migrating role itself may hand an object over.
GRANT CREATE ON SCHEMA core TO quasar_definer;
SET LOCAL ROLE NONE;
ALTER FUNCTION core.find_key_org(uuid) OWNER TO quasar_definer;
ALTER FUNCTION core.list_revocations(integer, bigint) OWNER TO quasar_definer;
SET LOCAL ROLE quasar_owner;
REVOKE CREATE ON SCHEMA core FROM quasar_definer;
