-- The storage node that the blobs of this database lie in, so that an empty or another node is not taken for it: an unmounted
-- disk looks like an empty folder. One row for the whole database, which tells nothing of a tenant.

CREATE TABLE graviton.store_node (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  node_id uuid NOT NULL,
  bound_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE graviton.store_node ENABLE ROW LEVEL SECURITY;
ALTER TABLE graviton.store_node FORCE ROW LEVEL SECURITY;
CREATE POLICY app_node ON graviton.store_node TO quasar_app USING (true);
GRANT SELECT, INSERT, UPDATE ON graviton.store_node TO quasar_app;
