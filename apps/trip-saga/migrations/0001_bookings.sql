-- Runs once in each of the schemas flight, hotel and cab: the three services keep the same books of different things.

-- Copied from @repo/operations (operationsTable).
CREATE TABLE operations (
  key          text        PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 500),
  request_hash text        CHECK (request_hash IS NOT NULL OR status = 'cancelled'),
  status       text        NOT NULL CHECK (status IN ('done', 'refused', 'cancelled', 'compensated')),
  outcome      jsonb,
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE bookings (
  key          text        COLLATE "C" PRIMARY KEY REFERENCES operations,
  status       text        NOT NULL CHECK (status IN ('booked', 'cancelled')),
  confirmation text        NOT NULL,
  request      jsonb       NOT NULL,
  items        jsonb       NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now()
);

-- What there is of a resource on a day, and how much of it the booked bookings hold: taken is always their sum.
CREATE TABLE stock (
  resource text    COLLATE "C",
  date     date,
  capacity integer NOT NULL CHECK (capacity >= 0),
  taken    integer NOT NULL DEFAULT 0,
  PRIMARY KEY (resource, date),
  CONSTRAINT never_oversold CHECK (taken BETWEEN 0 AND capacity)
);
