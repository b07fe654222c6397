-- Who can subscribe. The account is one of the ledger's, which is another system: no foreign key reaches it.
CREATE TABLE customers (
  id         text        COLLATE "C" PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 100 AND name !~ '[[:cntrl:]]'),
  -- A line break in it would be a header of its own in a mail.
  email      text        NOT NULL CHECK (length(email) BETWEEN 3 AND 254 AND email !~ '[[:cntrl:][:space:]]' AND email ~ '@'),
  account    text        NOT NULL CHECK (account ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  time_zone  text        NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
  created_at timestamptz NOT NULL DEFAULT now()
);
