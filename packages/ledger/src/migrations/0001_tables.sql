-- The owner runs these files in a schema of the ledger's own. The application's role may read the tables and call the
-- functions of the later files, and nothing else (0004).

-- What JavaScript can count exactly.
CREATE DOMAIN minor_units AS bigint CHECK (value BETWEEN -9007199254740991 AND 9007199254740991);
-- What a request may ask to be moved. A negative amount would let the payee pay.
CREATE DOMAIN amount AS bigint NOT NULL CHECK (value BETWEEN 1 AND 9007199254740991);
-- Business time, as JavaScript can write and read it.
CREATE DOMAIN instant AS timestamptz CHECK (
  value BETWEEN '0001-01-01T00:00:00Z' AND '9999-12-31T23:59:59.999Z' AND value = date_trunc('milliseconds', value));
-- Of keys and references. Control characters would have a reader take them for something else.
CREATE DOMAIN plain_name AS text COLLATE "C" CHECK (value !~ '[\u0001-\u001f\u007f-\u009f]');

-- Customers' accounts keep a balance. Each currency has two more accounts that all money passes, and one row each would
-- be the busiest row of all; they have no balance but the sum of their entries:
--   suspense:EUR  money on its way; what of it belongs to which transfer is in suspense_items
--   external:EUR  the world outside, where paid-in money comes from
CREATE TABLE accounts (
  id         text        COLLATE "C" PRIMARY KEY,
  kind       text        NOT NULL CHECK (kind IN ('customer', 'suspense', 'external')),
  -- As in money.ts: of any other, nobody knows how many minor units are one.
  currency   text        NOT NULL CHECK (currency IN (
    'AUD', 'BHD', 'CAD', 'CHF', 'CLP', 'CNY', 'CZK', 'DKK', 'EUR', 'GBP',
    'INR', 'ISK', 'JPY', 'KRW', 'KWD', 'NOK', 'PLN', 'SEK', 'TND', 'USD')),
  status     text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'frozen', 'closed')),
  overdraft  minor_units NOT NULL DEFAULT 0 CHECK (overdraft >= 0),
  balance    minor_units,
  opened_at  instant     NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (id, currency),
  CONSTRAINT names_tell_kinds CHECK (
    CASE kind WHEN 'customer' THEN id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' ELSE id = kind || ':' || currency END),
  CONSTRAINT only_customers_have_a_balance CHECK ((kind = 'customer') = (balance IS NOT NULL)),
  CONSTRAINT only_customers_change CHECK (kind = 'customer' OR (status = 'open' AND overdraft = 0)),
  CONSTRAINT within_limit CHECK (balance >= -overdraft),
  CONSTRAINT closed_is_empty CHECK (status <> 'closed' OR balance = 0)
);

-- One row for each key ever heard of, written once. `request` is what a second call is compared with; `outcome` is what it
-- is answered, or the refusal. A cancelled key is a tombstone: what comes late is refused.
-- `at` is business time and comes with the request. `created_at` tells a reconciler how old a row is; nothing else may be
-- decided by it. Rows must outlive everything that could still ask for their key.
CREATE TABLE operations (
  key        plain_name  PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 500),
  kind       text        NOT NULL CHECK (kind IN
    ('opening', 'status', 'pay-in', 'withdrawal', 'deposit', 'refund', 'charge', 'charge-refund')),
  status     text        NOT NULL CHECK (status IN ('done', 'refused', 'cancelled')),
  request    jsonb       CHECK (request IS NOT NULL OR status = 'cancelled'),
  outcome    jsonb       CHECK (outcome IS NOT NULL OR status = 'cancelled'),
  refunds    text        COLLATE "C" REFERENCES operations,
  at         instant     NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT only_refunds_refund CHECK (refunds IS NULL OR (kind = 'charge-refund' AND status = 'done')),
  CONSTRAINT one_refund_per_charge UNIQUE (refunds)
);

-- What became of the money of one transfer: one row for each reference. A cancelled one is the tombstone of a withdrawal
-- that had not arrived when it was refunded. With a `target`, it can be deposited there and nowhere else.
CREATE TABLE suspense_items (
  reference  plain_name  PRIMARY KEY CHECK (length(reference) BETWEEN 1 AND 200),
  status     text        NOT NULL CHECK (status IN ('resting', 'deposited', 'refunded', 'cancelled')),
  account_id text        COLLATE "C",
  currency   text,
  amount     minor_units CHECK (amount > 0),
  target     text        COLLATE "C" REFERENCES accounts,
  at         instant     NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (account_id, currency) REFERENCES accounts (id, currency),
  CONSTRAINT tombstones_hold_nothing CHECK (
    num_nulls(account_id, currency, amount) = CASE status WHEN 'cancelled' THEN 3 ELSE 0 END),
  CONSTRAINT tombstones_go_nowhere CHECK (status <> 'cancelled' OR target IS NULL)
);
CREATE INDEX suspense_items_resting ON suspense_items (reference) WHERE status = 'resting';
CREATE INDEX suspense_items_source ON suspense_items (account_id) WHERE status = 'resting';

-- The books. A positive amount adds to the account's balance, a negative one takes from it.
CREATE TABLE entries (
  id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  operation_key text        COLLATE "C" NOT NULL REFERENCES operations,
  account_id    text        COLLATE "C" NOT NULL,
  currency      text        NOT NULL,
  amount        minor_units NOT NULL CHECK (amount <> 0),
  reference     text        COLLATE "C" REFERENCES suspense_items,
  at            instant     NOT NULL,
  UNIQUE (operation_key, account_id),
  FOREIGN KEY (account_id, currency) REFERENCES accounts (id, currency),
  CONSTRAINT suspense_has_a_reference CHECK ((reference IS NOT NULL) = starts_with(account_id, 'suspense:'))
);
CREATE INDEX entries_statement ON entries (account_id, at, id) INCLUDE (amount);
CREATE INDEX entries_reference ON entries (reference) INCLUDE (amount) WHERE reference IS NOT NULL;
