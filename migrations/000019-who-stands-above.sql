-- There is always an administrator who may change the rules of the org, and nobody shuts out who stands above him. What can
-- take from administrators in the whole org is judged here, under the lock of the org's row: of two changes that are harmless
-- alone, the second sees the first. (In folders and documents, decisions leave administrators what they need to see a rule and
-- take it back: src/access/decide.ts.)

-- Of an administrator, what no rule in a folder or a document takes: doc.read and acl.admin, as bits of src/core/capability.ts.
CREATE FUNCTION core.undoing() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 136';

-- What rules may call a principal: by its id, and by every group around it. Runs where the org is set, as all that follow.
CREATE FUNCTION core.names_of(p_org uuid, p_principal uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
  WITH RECURSIVE around AS (
    SELECT m.group_id AS id FROM core.group_member m WHERE m.org_id = p_org AND m.principal_id = p_principal
    UNION
    SELECT n.within_id FROM around JOIN core.group_nesting n ON n.org_id = p_org AND n.group_id = around.id
  ) SELECT array_append(ARRAY(SELECT around.id FROM around), p_principal)
$$;

CREATE FUNCTION core.is_administrator(p_org uuid, p_principal uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM core.principal p
                  WHERE p.org_id = p_org AND p.id = p_principal AND 'admin' = ANY (p.roles) AND p.suspended_at IS NULL)
$$;

-- The rules that hold in a place now.
CREATE FUNCTION quasar.rules_at(p_org uuid, p_kind text, p_id uuid) RETURNS SETOF quasar.access_rule LANGUAGE sql STABLE AS $$
  SELECT r.* FROM quasar.access_rule r
   WHERE r.org_id = p_org AND r.place_kind = p_kind AND r.place_id = p_id
     AND r.version = (SELECT max(s.version) FROM quasar.rule_set s
                       WHERE s.org_id = p_org AND s.place_kind = p_kind AND s.place_id = p_id)
$$;

CREATE FUNCTION quasar.denied_at(p_org uuid, p_kind text, p_id uuid, p_names uuid[]) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT coalesce(bit_or(r.actions), 0) FROM quasar.rules_at(p_org, p_kind, p_id) AS r
   WHERE r.effect = 'deny' AND r.principals && p_names
$$;

-- Every administrator, with what the rules of the org deny him.
CREATE FUNCTION core.standing(p_org uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_object_agg(p.id, quasar.denied_at(p_org, 'org', p_org, core.names_of(p_org, p.id))), '{}')
    FROM core.principal p WHERE p.org_id = p_org AND 'admin' = ANY (p.roles) AND p.suspended_at IS NULL
$$;

CREATE FUNCTION core.keeps_administrator(p_standing jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT EXISTS (SELECT FROM jsonb_each_text(p_standing) AS one WHERE one.value::integer & core.undoing() = 0)
$$;

-- What is wrong with a change that was made, by how administrators stood before it: 'last_administrator'; 'stands_above': by
-- somebody who is none, it takes something from an administrator. Null: nothing. An org that has no administrator any more
-- is left to those who try to mend it.
CREATE FUNCTION core.judge_standing(p_org uuid, p_by uuid, p_before jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  after jsonb := core.standing(p_org);
BEGIN
  IF core.keeps_administrator(p_before) AND NOT core.keeps_administrator(after) THEN
    RETURN 'last_administrator';
  ELSIF core.is_administrator(p_org, p_by) OR p_before ? p_by::text THEN
    RETURN NULL;
  ELSIF EXISTS (SELECT FROM jsonb_each_text(p_before) AS was
                 WHERE NOT after ? was.key OR (after ->> was.key)::integer & ~was.value::integer <> 0) THEN
    RETURN 'stands_above';
  END IF;
  RETURN NULL;
END
$$;

-- As before; who changes it comes along. 'last_administrator' and 'stands_above' as `core.judge_standing` tells them.
DROP FUNCTION core.set_roles(uuid, uuid, text[]);
CREATE FUNCTION core.set_roles(p_org uuid, p_by uuid, p_principal uuid, p_roles text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before jsonb;
  fault text;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM core.lock_shape(p_org);
  before := core.standing(p_org);
  UPDATE core.principal p SET roles = p_roles WHERE p.org_id = p_org AND p.id = p_principal AND p.roles <> p_roles;
  IF NOT FOUND THEN
    RETURN CASE WHEN EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.id = p_principal) THEN 'unchanged'
                ELSE 'principal_missing' END;
  END IF;
  fault := core.judge_standing(p_org, p_by, before);
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'QS001';
  END IF;
  RETURN 'changed';
EXCEPTION WHEN SQLSTATE 'QS001' THEN
  RETURN fault;
END
$$;

-- As before, in the same way.
DROP FUNCTION core.suspend_principal(uuid, uuid, boolean, bigint);
CREATE FUNCTION core.suspend_principal(p_org uuid, p_by uuid, p_principal uuid, p_suspended boolean, p_now_ms bigint) RETURNS text
  LANGUAGE plpgsql AS $$
DECLARE
  before jsonb;
  fault text;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM core.lock_shape(p_org);
  before := core.standing(p_org);
  UPDATE core.principal p SET suspended_at = CASE WHEN p_suspended THEN quasar.from_ms(p_now_ms) END
   WHERE p.org_id = p_org AND p.id = p_principal AND (p.suspended_at IS NOT NULL) <> p_suspended;
  IF NOT FOUND THEN
    RETURN CASE WHEN EXISTS (SELECT FROM core.principal p WHERE p.org_id = p_org AND p.id = p_principal) THEN 'unchanged'
                ELSE 'principal_missing' END;
  END IF;
  fault := core.judge_standing(p_org, p_by, before);
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'QS001';
  END IF;
  RETURN 'changed';
EXCEPTION WHEN SQLSTATE 'QS001' THEN
  RETURN fault;
END
$$;
DROP FUNCTION core.is_last_administrator(uuid, uuid);

-- Whether somebody who is no administrator would bring an administrator among those whom a rule anywhere in the org denies
-- something, by making `p_member` (a principal or a group) a member of `p_group`.
CREATE FUNCTION core.would_deny_above(p_org uuid, p_by uuid, p_group uuid, p_member uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  reached uuid[];
  gained uuid[];
BEGIN
  IF core.is_administrator(p_org, p_by) THEN
    RETURN false;
  END IF;
  SELECT array_agg(DISTINCT named.id) INTO reached
    FROM core.principal p, LATERAL core.names_of(p_org, p.id) AS names, LATERAL unnest(names) AS named (id)
   WHERE p.org_id = p_org AND 'admin' = ANY (p.roles) AND p.suspended_at IS NULL AND p_member = ANY (names);
  IF reached IS NULL THEN
    RETURN false;
  END IF;
  WITH RECURSIVE around AS (
    SELECT p_group AS id
    UNION
    SELECT n.within_id FROM around JOIN core.group_nesting n ON n.org_id = p_org AND n.group_id = around.id
  ) SELECT array_agg(around.id) INTO gained FROM around WHERE around.id <> ALL (reached);
  RETURN EXISTS (SELECT FROM quasar.access_rule r
                  WHERE r.org_id = p_org AND r.effect = 'deny' AND r.principals && gained
                    AND NOT EXISTS (SELECT FROM quasar.rule_set s
                                     WHERE s.org_id = p_org AND s.place_kind = r.place_kind AND s.place_id = r.place_id
                                       AND s.version > r.version));
END
$$;

-- As before, and the two outcomes of `core.judge_standing`.
DROP FUNCTION core.add_member(uuid, uuid, uuid);
CREATE FUNCTION core.add_member(p_org uuid, p_by uuid, p_group uuid, p_member uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before jsonb;
  fault text;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  PERFORM core.lock_shape(p_org);
  PERFORM FROM core.principal_group g WHERE g.org_id = p_org AND g.id = p_group FOR KEY SHARE;
  IF NOT FOUND THEN
    RETURN 'group_missing';
  END IF;
  PERFORM FROM core.principal p WHERE p.org_id = p_org AND p.id = p_member;
  IF NOT FOUND THEN
    RETURN 'member_missing';
  ELSIF core.would_deny_above(p_org, p_by, p_group, p_member) THEN
    RETURN 'stands_above';
  END IF;
  before := core.standing(p_org);
  INSERT INTO core.group_member (org_id, principal_id, group_id) VALUES (p_org, p_member, p_group) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'unchanged';
  END IF;
  fault := core.judge_standing(p_org, p_by, before);
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'QS001';
  END IF;
  RETURN 'added';
EXCEPTION WHEN SQLSTATE 'QS001' THEN
  RETURN fault;
END
$$;

-- As before, and the two outcomes of `core.judge_standing`.
DROP FUNCTION core.nest_group(uuid, uuid, uuid, integer);
CREATE FUNCTION core.nest_group(p_org uuid, p_by uuid, p_group uuid, p_member uuid, p_depth_max integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  above integer;
  below integer;
  before jsonb;
  fault text;
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
  ELSIF core.would_deny_above(p_org, p_by, p_group, p_member) THEN
    RETURN 'stands_above';
  END IF;
  before := core.standing(p_org);
  INSERT INTO core.group_nesting (org_id, group_id, within_id) VALUES (p_org, p_member, p_group) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN 'unchanged';
  END IF;
  fault := core.judge_standing(p_org, p_by, before);
  IF fault IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'QS001';
  END IF;
  RETURN 'added';
EXCEPTION WHEN SQLSTATE 'QS001' THEN
  RETURN fault;
END
$$;

-- Somebody whom new rules of a place would shut out and who stands above the one who writes them, the first by id; null: there
-- is none. Above everybody stand administrators: from them only administrators take anything, and in folders and documents
-- nobody takes what lets them see the place and change its rules. Above a delegate also stands who may change rules from farther
-- out than he may. `p_within`: the folder a document is in. What the rules there before denied already is no matter.
CREATE FUNCTION quasar.find_shut_out(p_org uuid, p_by uuid, p_kind text, p_id uuid, p_within uuid, p_rules json) RETURNS uuid
  LANGUAGE plpgsql STABLE AS $$
DECLARE
  by_administrator boolean := core.is_administrator(p_org, p_by);
  mine uuid[];
  found uuid;
BEGIN
  IF by_administrator AND p_kind = 'org' OR NOT EXISTS (SELECT FROM json_array_elements(p_rules) AS rule WHERE rule ->> 'effect' = 'deny') THEN
    RETURN NULL;
  END IF;
  mine := core.names_of(p_org, p_by);
  WITH RECURSIVE denial AS MATERIALIZED (
    SELECT (rule ->> 'actions')::integer AS actions, ARRAY(SELECT json_array_elements_text(rule -> 'principals')::uuid) AS names
      FROM json_array_elements(p_rules) AS rule WHERE rule ->> 'effect' = 'deny'
  ), line AS (
    SELECT f.id, f.parent_id, 1 AS n FROM quasar.folder f
     WHERE f.org_id = p_org AND f.id = CASE p_kind WHEN 'folder' THEN p_id WHEN 'document' THEN p_within END
    UNION ALL
    SELECT f.id, f.parent_id, line.n + 1 FROM line JOIN quasar.folder f ON f.org_id = p_org AND f.id = line.parent_id
  ), place AS (
    SELECT 'document' AS kind, p_id AS id, 0 AS n WHERE p_kind = 'document'
    UNION ALL
    SELECT 'folder', line.id, line.n FROM line
    UNION ALL
    SELECT 'org', p_org, 1000000
  ), administering AS MATERIALIZED (
    SELECT place.n, r.effect, r.principals FROM place, LATERAL quasar.rules_at(p_org, place.kind, place.id) AS r
     WHERE NOT by_administrator AND r.actions & 128 <> 0
  ), farther AS (
    SELECT * FROM administering
     WHERE n > (SELECT coalesce(max(own.n), -1) FROM administering AS own WHERE own.effect = 'allow' AND own.principals && mine)
  ), allowed AS (
    SELECT unnest(farther.principals) AS id FROM farther WHERE farther.effect = 'allow'
    UNION
    SELECT n.group_id FROM allowed JOIN core.group_nesting n ON n.org_id = p_org AND n.within_id = allowed.id
  ), above AS (
    SELECT p.id FROM core.principal p WHERE p.org_id = p_org AND 'admin' = ANY (p.roles) AND p.suspended_at IS NULL
    UNION
    SELECT allowed.id FROM allowed
    UNION
    SELECT m.principal_id FROM allowed JOIN core.group_member m ON m.org_id = p_org AND m.group_id = allowed.id
  ), named AS (
    SELECT unnest(denial.names) AS id FROM denial
    UNION
    SELECT n.group_id FROM named JOIN core.group_nesting n ON n.org_id = p_org AND n.within_id = named.id
  ), denied AS (
    SELECT named.id FROM named
    UNION
    SELECT m.principal_id FROM named JOIN core.group_member m ON m.org_id = p_org AND m.group_id = named.id
  ), met AS MATERIALIZED (
    SELECT p.id, core.names_of(p_org, p.id) AS names, 'admin' = ANY (p.roles) AS administers
      FROM above JOIN denied USING (id) JOIN core.principal p ON p.org_id = p_org AND p.id = above.id AND p.suspended_at IS NULL
     WHERE by_administrator OR p.id <> p_by
  )
  SELECT met.id INTO found FROM met
   WHERE (SELECT bit_or(denial.actions) FROM denial WHERE denial.names && met.names)
         & ~quasar.denied_at(p_org, p_kind, p_id, met.names)
         & CASE WHEN by_administrator THEN core.undoing() ELSE -1 END <> 0
     AND (met.administers OR NOT EXISTS (SELECT FROM farther WHERE farther.effect = 'deny' AND farther.principals && met.names))
   ORDER BY met.id LIMIT 1;
  RETURN found;
END
$$;

-- As before, and 'last_administrator' (of the org's rules); 'stands_above' with the principal that would be shut out.
CREATE OR REPLACE FUNCTION quasar.replace_rules(p_org uuid, p_principal uuid, p_kind text, p_id uuid, p_expected integer,
                                                p_rules json, p_now_ms bigint)
  RETURNS TABLE (outcome text, version integer, subject_id uuid) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  held integer;
  stranger uuid;
  within_id uuid;
  before jsonb;
  fault text;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  CASE p_kind
    WHEN 'document' THEN
      SELECT d.folder_id INTO within_id FROM quasar.document d
       WHERE d.org_id = p_org AND d.id = p_id AND d.disposed_at IS NULL FOR KEY SHARE;
    WHEN 'folder' THEN PERFORM FROM quasar.folder f WHERE f.org_id = p_org AND f.id = p_id FOR KEY SHARE;
    WHEN 'org' THEN PERFORM FROM core.org o WHERE o.id = p_org AND o.id = p_id FOR NO KEY UPDATE;
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
  stranger := quasar.find_stranger(p_org, p_rules);
  IF stranger IS NOT NULL THEN
    RETURN QUERY SELECT 'subject_missing', held, stranger;
    RETURN;
  END IF;
  stranger := quasar.find_shut_out(p_org, p_principal, p_kind, p_id, within_id, p_rules);
  IF stranger IS NOT NULL THEN
    RETURN QUERY SELECT 'stands_above', held, stranger;
    RETURN;
  END IF;
  before := CASE WHEN p_kind = 'org' THEN core.standing(p_org) END;
  IF NOT quasar.insert_rules(p_org, p_principal, p_kind, p_id, held + 1, p_rules, quasar.from_ms(p_now_ms)) THEN
    RETURN QUERY SELECT 'rules_changed', max(s.version), NULL::uuid FROM quasar.rule_set s
     WHERE s.org_id = p_org AND s.place_kind = p_kind AND s.place_id = p_id;
    RETURN;
  END IF;
  IF before IS NOT NULL THEN
    fault := core.judge_standing(p_org, p_principal, before);
    IF fault IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'QS001';
    END IF;
  END IF;
  RETURN QUERY SELECT 'replaced', held + 1, NULL::uuid;
EXCEPTION WHEN SQLSTATE 'QS001' THEN
  RETURN QUERY SELECT fault, held, NULL::uuid;
END
$$;

GRANT EXECUTE ON FUNCTION core.undoing, core.names_of, core.is_administrator, core.standing, core.keeps_administrator,
  core.judge_standing, core.set_roles, core.suspend_principal, core.would_deny_above, core.add_member, core.nest_group,
  quasar.rules_at, quasar.denied_at, quasar.find_shut_out TO quasar_app;
