-- A page ends where its bytes do: what one of its items can hold times a thousand is more than a server should build at once.

-- Latest first; at least one. The page is over at `p_limit` items, or behind the item that reaches `p_bytes_max`.
CREATE FUNCTION quasar.page_of_rule_changes(p_org uuid, p_kind text, p_id uuid, p_before integer, p_limit integer, p_bytes_max integer)
  RETURNS TABLE (version integer, rules json, changed_by uuid, changed_at_ms double precision) LANGUAGE plpgsql AS $$
DECLARE
  bytes bigint := 0;
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  FOR version, changed_by, changed_at_ms IN
    SELECT s.version, s.changed_by, quasar.to_ms(s.changed_at) FROM quasar.rule_set s
     WHERE s.org_id = p_org AND s.place_kind = p_kind AND s.place_id = p_id AND (p_before IS NULL OR s.version < p_before)
     ORDER BY s.version DESC LIMIT p_limit
  LOOP
    rules := quasar.rules_of(p_org, p_kind, p_id, version);
    RETURN NEXT;
    bytes := bytes + octet_length(rules::text);
    EXIT WHEN bytes >= p_bytes_max;
  END LOOP;
END
$$;
DROP FUNCTION quasar.list_rule_changes(uuid, text, uuid, integer, integer);

-- Without the schemas themselves, which a list does not show.
CREATE FUNCTION quasar.page_of_schemas(p_org uuid, p_namespace text, p_after text, p_limit integer)
  RETURNS TABLE (urn text, namespace text, state text, digest text, created_at_ms double precision, changed_at_ms double precision)
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('app.org_id', p_org::text, true);
  RETURN QUERY SELECT s.urn, s.namespace, s.state, encode(s.digest, 'hex'), quasar.to_ms(s.created_at), quasar.to_ms(s.changed_at)
    FROM quasar.schema s
   WHERE s.org_id = p_org AND (p_namespace IS NULL OR s.namespace = p_namespace) AND s.urn COLLATE "C" > coalesce(p_after, '') COLLATE "C"
   ORDER BY s.urn COLLATE "C" LIMIT p_limit;
END
$$;
DROP FUNCTION quasar.list_schemas(uuid, text, text, integer);

GRANT EXECUTE ON FUNCTION quasar.page_of_rule_changes, quasar.page_of_schemas TO quasar_app;
