-- Copied from @repo/operations (operationsTable).
CREATE TABLE operations (
  key          text        PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 500),
  request_hash text        CHECK (request_hash IS NOT NULL OR status = 'cancelled'),
  status       text        NOT NULL CHECK (status IN ('done', 'refused', 'cancelled', 'compensated')),
  outcome      jsonb,
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now()
);

-- Who came first, among releases and rollbacks: an environment never goes from a later one to an earlier one.
CREATE SEQUENCE ranks;

-- Times are the workflow's. A document is written once, and so is the decision on it.
CREATE TABLE releases (
  release         text        COLLATE "C" PRIMARY KEY,
  rank            bigint      NOT NULL UNIQUE,
  requested_by    text        NOT NULL,
  began_at        timestamptz NOT NULL,
  document        jsonb,
  document_digest text        CHECK ((document_digest IS NULL) = (document IS NULL)),
  approval        jsonb       CHECK (approval IS NULL OR document IS NOT NULL),
  status          text,
  ended_at        timestamptz CHECK ((ended_at IS NULL) = (status IS NULL))
);

-- How many generations an environment has had: its row is also the lock under which the next one is issued.
CREATE TABLE environments (
  environment text   COLLATE "C" PRIMARY KEY,
  generation  bigint NOT NULL CHECK (generation > 0)
);

-- Each switch of an environment that was ever begun. The operation is the workflow that did it: one has one generation.
CREATE TABLE deployments (
  environment  text        COLLATE "C" REFERENCES environments,
  generation   bigint      CHECK (generation > 0),
  operation    text        COLLATE "C" NOT NULL UNIQUE,
  rank         bigint      NOT NULL,
  -- The generation that the set came with at first; of a rollback, an earlier one.
  origin       bigint      NOT NULL CHECK (origin <= generation),
  -- The release; of a rollback, the one that it has brought back.
  release      text        COLLATE "C" NOT NULL,
  requested_by text        NOT NULL,
  -- What was asked for; once it is good, all that the environment serves.
  set          jsonb       NOT NULL,
  status       text        NOT NULL CHECK (status IN ('activating', 'good', 'rolled-back', 'superseded')),
  claimed_at   timestamptz NOT NULL,
  settled_at   timestamptz CHECK ((settled_at IS NULL) = (status = 'activating')),
  PRIMARY KEY (environment, generation)
);

CREATE INDEX unsettled ON deployments (claimed_at) WHERE status = 'activating';
