-- One row for each mail that the mail server took, or refused for good; none before that. Rows must outlive everything that
-- could still ask for their key: a deleted row is a mail that can be sent again.
-- Of the request there is a hash, so that no address and no text is kept here for ever.
CREATE TABLE mails (
  key          text        COLLATE "C" PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 500),
  request_hash text        NOT NULL CHECK (request_hash ~ '^[0-9a-f]{64}$'),
  message_id   text        NOT NULL CHECK (message_id ~ '^<[^<>[:space:]]+@[^<>[:space:]]+>$'),
  status       text        NOT NULL CHECK (status IN ('sent', 'refused')),
  refusal      jsonb       CHECK ((refusal IS NOT NULL) = (status = 'refused')),
  -- When it was recorded. For people; nothing may be decided by it.
  recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Whoever was given rights on the table may read it and add to it: what was sent stays sent.
DO $$
DECLARE
  grantee text;
BEGIN
  FOR grantee IN
    SELECT DISTINCT pg_get_userbyid(acl.grantee) FROM pg_class, aclexplode(relacl) AS acl
    WHERE pg_class.oid = 'mails'::regclass AND acl.grantee NOT IN (0, relowner)
  LOOP
    EXECUTE format('REVOKE ALL ON mails FROM %I', grantee);
    EXECUTE format('GRANT SELECT, INSERT ON mails TO %I', grantee);
  END LOOP;
END $$;
