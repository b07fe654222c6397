-- How often each post has been changed, and by what the last time. A row here outlives its post: a change that arrives late,
-- after the post is gone, must find out that it is late.
CREATE TABLE post_generations (
  post       text        COLLATE "C" PRIMARY KEY,
  generation bigint      NOT NULL CHECK (generation > 0),
  change     text        NOT NULL CHECK (change IN ('write', 'transfer', 'delete')),
  author     text        CHECK ((author IS NULL) = (change = 'delete')),
  changed_at timestamptz NOT NULL DEFAULT now()
);

-- What is there. Only an active post may be seen; its token is SpiceDB's for the write that made it so.
CREATE TABLE posts (
  post   text COLLATE "C" PRIMARY KEY REFERENCES post_generations,
  author text NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'transferring', 'deleting', 'active')),
  token  text CHECK ((token IS NOT NULL) = (status = 'active'))
);
