/**
 * The table that an app's migration creates in its own schema, word for word. `key` is the business operation.
 * `created_at` and `updated_at` tell a reconciler how old a row is; nothing else may be decided by them.
 *
 * Rows must outlive everything that could still ask for their key: a deleted row is an operation that can happen again.
 */
export const operationsTable = `\
CREATE TABLE operations (
  key          text        PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 500),
  request_hash text        CHECK (request_hash IS NOT NULL OR status = 'cancelled'),
  status       text        NOT NULL CHECK (status IN ('done', 'refused', 'cancelled', 'compensated')),
  outcome      jsonb,
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now()
);
`;

/**
 * The states a key can be in; one that is in none of them has never been heard of.
 *
 * - `done`: the effect was made, `outcome` is what it returned
 * - `refused`: a business refusal, kept in `outcome`; the effect was not made
 * - `cancelled`: cancelled while there was nothing to undo, perhaps before the operation arrived (a tombstone)
 * - `compensated`: the effect was made and undone
 */
export type OperationStatus = 'done' | 'refused' | 'cancelled' | 'compensated';
