-- What happened. Events are stored by the transaction they are about and never change; afterwards one sequencer gives each
-- its number in the log of its org, hashes it into the log's tree and signs the tree's head (docs/format/audit-v1.md).
-- Everything but audit.progress is inserted once: nobody who can log in may update or delete.

CREATE SCHEMA audit;
GRANT USAGE ON SCHEMA audit TO quasar_app, quasar_definer;

-- On the path of every request: one row, one index, no hash. The hash of a leaf is made when its number is: whoever could
-- edit the bytes before could edit a hash beside them too, and it is the tree that has to agree with it.
CREATE TABLE audit.event (
  org_id uuid NOT NULL,
  -- Of the transaction that stored it: tells what a snapshot can still miss. Of the server that `audit.progress` names.
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  -- Order within the transaction.
  seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  event_id uuid NOT NULL,
  bytes bytea NOT NULL CHECK (octet_length(bytes) BETWEEN 2 AND 8192),
  PRIMARY KEY (org_id, xid, seq)
);

CREATE TABLE audit.leaf (
  org_id uuid NOT NULL,
  leaf bigint NOT NULL CHECK (leaf >= 0),
  -- The event, by its key. No foreign key: events are never deleted, and a verification finds one that is missing.
  xid xid8 NOT NULL,
  seq bigint NOT NULL,
  hash core.digest NOT NULL,
  -- Read from the event, to find it by. Null: the bytes are no event.
  happened_at timestamptz,
  principal_id text,
  action text,
  resource_id text,
  PRIMARY KEY (org_id, leaf),
  UNIQUE (org_id, xid, seq)
);
CREATE INDEX leaf_by_resource ON audit.leaf (org_id, resource_id, leaf);
CREATE INDEX leaf_by_principal ON audit.leaf (org_id, principal_id, leaf);
CREATE INDEX leaf_by_action ON audit.leaf (org_id, action, leaf);
-- Times rise with leaf numbers but for clocks that go back, so blocks of rows have narrow ranges of time.
CREATE INDEX leaf_by_time ON audit.leaf USING brin (happened_at) WITH (pages_per_range = 16);

-- Of perfect subtrees from level 1 on.
CREATE TABLE audit.subtree (
  org_id uuid NOT NULL,
  level smallint NOT NULL CHECK (level BETWEEN 1 AND 53),
  index bigint NOT NULL CHECK (index >= 0),
  hash core.digest NOT NULL,
  PRIMARY KEY (org_id, level, index)
);

CREATE TABLE audit.checkpoint (
  org_id uuid NOT NULL,
  size bigint NOT NULL CHECK (size > 0),
  root core.digest NOT NULL,
  -- What the signer's clock said; order is that of sizes.
  signed_at timestamptz NOT NULL,
  note text NOT NULL CHECK (length(note) <= 262144),
  PRIMARY KEY (org_id, size)
);

-- Where the sequencer has to look: every event of a transaction below `floor` that is not in `open` has its leaf. Says
-- nothing that the tables above do not; without it the sequencer compares them from the beginning. Numbers of transactions
-- mean nothing to another server, so a copy of the rows that was loaded into one starts from the beginning too.
CREATE TABLE audit.progress (
  org_id uuid PRIMARY KEY,
  server bigint NOT NULL,
  floor xid8 NOT NULL,
  open xid8[] NOT NULL
);

DO $$
DECLARE
  at regclass;
BEGIN
  FOREACH at IN ARRAY ARRAY['audit.event', 'audit.leaf', 'audit.subtree', 'audit.checkpoint', 'audit.progress']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', at);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', at);
    EXECUTE format('CREATE POLICY app_org ON %s TO quasar_app USING (org_id = core.current_org())', at);
  END LOOP;
  FOREACH at IN ARRAY ARRAY['audit.event', 'audit.leaf', 'audit.checkpoint', 'audit.progress']::regclass[] LOOP
    EXECUTE format('CREATE POLICY definer_places ON %s FOR SELECT TO quasar_definer USING (true)', at);
  END LOOP;
END
$$;
GRANT SELECT ON audit.event, audit.leaf, audit.subtree, audit.checkpoint, audit.progress TO quasar_app;
GRANT INSERT ON audit.leaf, audit.subtree, audit.checkpoint, audit.progress TO quasar_app;
-- Not `xid`: an event that claims an older transaction would never be seen by the sequencer.
GRANT INSERT (org_id, event_id, bytes) ON audit.event TO quasar_app;
GRANT UPDATE (server, floor, open) ON audit.progress TO quasar_app;
-- Which orgs have something to do, and nothing of what happened there.
GRANT SELECT (org_id, xid) ON audit.event TO quasar_definer;
GRANT SELECT (org_id, leaf) ON audit.leaf TO quasar_definer;
GRANT SELECT (org_id, size) ON audit.checkpoint TO quasar_definer;
GRANT SELECT ON audit.progress TO quasar_definer;

-- Runs where the org is set, for functions that have something to tell about what they do, too. In the order of the arrays.
CREATE FUNCTION audit.append(p_org uuid, p_ids uuid[], p_bytes bytea[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.event (org_id, event_id, bytes) SELECT p_org, e.id, e.bytes FROM unnest(p_ids, p_bytes) AS e(id, bytes);
END
$$;

CREATE FUNCTION audit.server() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT system_identifier FROM pg_control_system() $$;

-- Makes the transaction the one sequencer, for the log of one org; `locked` false: there is another. Transactions from
-- `until` on had not begun, `running` had not ended. `floor` null: the rows are from another server.
CREATE FUNCTION audit.open_log(p_org uuid)
  RETURNS TABLE (locked boolean, size bigint, floor text, open text[], until text, running text[]) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  -- A number nobody else locks: "quasarau" in ASCII.
  IF NOT pg_try_advisory_xact_lock(8175547846745022837) THEN
    RETURN QUERY SELECT false, NULL::bigint, NULL::text, NULL::text[], NULL::text, NULL::text[];
    RETURN;
  END IF;
  -- A statement of its own, so that it sees what the holder before had committed. Events are read by a later one: what had
  -- ended here is seen there.
  RETURN QUERY SELECT true, coalesce((SELECT max(l.leaf) + 1 FROM audit.leaf l WHERE l.org_id = p_org), 0),
                      CASE WHEN p.org_id IS NULL THEN '0' WHEN p.server = audit.server() THEN p.floor::text END, p.open::text[],
                      pg_snapshot_xmax(now)::text, ARRAY(SELECT xid::text FROM pg_snapshot_xip(now) AS xid)
    FROM pg_current_snapshot() AS now LEFT JOIN audit.progress p ON p.org_id = p_org;
END
$$;

-- Orgs that have events without a leaf, as far as their progress tells. Steps from org to org in the index, so its cost is
-- theirs.
CREATE FUNCTION audit.list_waiting_orgs() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
    WITH RECURSIVE org AS (
      (SELECT e.org_id FROM audit.event e ORDER BY e.org_id LIMIT 1)
      UNION ALL
      SELECT (SELECT e.org_id FROM audit.event e WHERE e.org_id > org.org_id ORDER BY e.org_id LIMIT 1)
        FROM org WHERE org.org_id IS NOT NULL
    )
    SELECT org.org_id FROM org LEFT JOIN audit.progress p ON p.org_id = org.org_id
     WHERE org.org_id IS NOT NULL
       AND (p.org_id IS NULL OR p.server <> audit.server()
            OR EXISTS (SELECT FROM audit.event e WHERE e.org_id = org.org_id AND e.xid >= p.floor
                                                   AND e.xid < pg_snapshot_xmax(pg_current_snapshot()))
            OR EXISTS (SELECT FROM audit.event e WHERE e.org_id = org.org_id AND e.xid = ANY (p.open)))
  $$;

-- Orgs with leaves behind their last checkpoint.
CREATE FUNCTION audit.list_unsigned_orgs() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
    SELECT p.org_id FROM audit.progress p
     WHERE (SELECT max(l.leaf) + 1 FROM audit.leaf l WHERE l.org_id = p.org_id)
           IS DISTINCT FROM (SELECT max(c.size) FROM audit.checkpoint c WHERE c.org_id = p.org_id)
  $$;

GRANT EXECUTE ON FUNCTION audit.server TO quasar_app, quasar_definer;
GRANT EXECUTE ON FUNCTION audit.append, audit.open_log, audit.list_waiting_orgs, audit.list_unsigned_orgs TO quasar_app;

-- Only the migrating role itself may hand an object to another owner, and that owner must be able to make it.
GRANT CREATE ON SCHEMA audit TO quasar_definer;
SET LOCAL ROLE NONE;
ALTER FUNCTION audit.list_waiting_orgs() OWNER TO quasar_definer;
ALTER FUNCTION audit.list_unsigned_orgs() OWNER TO quasar_definer;
SET LOCAL ROLE quasar_owner;
REVOKE CREATE ON SCHEMA audit FROM quasar_definer;
