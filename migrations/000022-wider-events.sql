-- Events say with what credential, from where and by which rules, and may need more room for it. Those that are there are
-- within the old bound, so nothing has to be looked at.
ALTER TABLE audit.event DROP CONSTRAINT event_bytes_check;
ALTER TABLE audit.event ADD CONSTRAINT event_bytes_check CHECK (octet_length(bytes) BETWEEN 2 AND 12288) NOT VALID;
