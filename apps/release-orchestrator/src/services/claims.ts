import { Refusal } from '@repo/operations';
import type { PoolClient } from 'pg';
import { type Environment, environmentWorkflowId, failureTypes, type VersionSet } from '../contract.ts';

/** A switch that is about to be made. Whether it may be, and before whom it comes, is in the records and nowhere else. */
export interface Claim {
  /** The workflow that makes it: it gets one generation, however often it asks. */
  operation: string;
  environment: Environment;
  /** Of a rollback, the one that it brings back. */
  release: string;
  set: VersionSet;
  /** ISO 8601. */
  at: string;
}

/** A no that is not the last word: unlike a `Refusal` it is not kept, so that the same claim may be made again. */
export class NotAsApproved extends Error {}

/**
 * Issues the next generation of an environment, to a release as it was approved or to a rollback as it was planned.
 * @throws NotAsApproved for anything else; Refusal `Superseded`
 */
export async function issue(tx: PoolClient, claim: Claim): Promise<{ generation: number }> {
  const { operation, environment, release, set, at } = claim;
  const next = `INSERT INTO environments (environment, generation) VALUES ($1, 1)
    ON CONFLICT (environment) DO UPDATE SET generation = environments.generation + 1 RETURNING generation`;
  const generation = Number((await tx.query(next, [environment])).rows[0].generation);
  const isRelease = operation === environmentWorkflowId(release, environment);
  const { rank, origin, by } = await (isRelease ? ofRelease : ofRollback)(tx, claim);
  await refuseIfSuperseded(tx, environment, rank);
  const insert = `INSERT INTO deployments
    (environment, generation, operation, rank, origin, release, requested_by, set, status, claimed_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'activating', $9)`;
  const what = [environment, generation, operation, rank, origin ?? generation, release, by, JSON.stringify(set), at];
  await tx.query(insert, what);
  return { generation };
}

interface Entitled {
  rank: string;
  by: string;
  /** Undefined for what is new. */
  origin?: string;
}

/** This very set was approved, the release is under way, and it is good wherever it has to be first. */
async function ofRelease(tx: PoolClient, { environment, release, set }: Claim): Promise<Entitled> {
  // Shared with other environments, but not with its end: afterwards nothing of it gets in.
  const select = `WITH parts AS (
      SELECT part->>'environment' AS environment, part->'set' AS set, place
      FROM releases, jsonb_array_elements(document->'environments') WITH ORDINALITY AS each (part, place)
      WHERE release = $1
    ), reached AS (
      SELECT environment FROM deployments WHERE status = 'good' AND rank = (SELECT rank FROM releases WHERE release = $1)
    )
    SELECT rank, requested_by AS by, CASE
      WHEN approval->>'decision' IS DISTINCT FROM 'approved' THEN 'was not approved'
      WHEN status IS NOT NULL THEN 'has ended, as ' || status
      WHEN NOT EXISTS (SELECT FROM parts WHERE environment = $2 AND set = $3) THEN 'was not approved with this set'
      WHEN $2 = 'prod' AND NOT EXISTS (SELECT FROM reached WHERE environment = 'qc') THEN 'is not good in qc'
      ELSE (SELECT 'is not good in ' || environment FROM parts
        WHERE place < (SELECT place FROM parts WHERE environment = $2)
        AND environment NOT IN (SELECT environment FROM reached) ORDER BY place LIMIT 1)
      END AS why
    FROM releases WHERE release = $1 FOR SHARE`;
  const [row] = (await tx.query(select, [release, environment, JSON.stringify(set)])).rows;
  const why = row ? row.why : 'is not known';
  if (why !== null) throw new NotAsApproved(`${environment}: release ${release} ${why}`);
  return row;
}

/** This is what `planRollback` has found for this very operation. */
async function ofRollback(tx: PoolClient, { operation, environment, release, set }: Claim): Promise<Entitled> {
  const select = `SELECT outcome->>'rank' AS rank, outcome->>'origin' AS origin, outcome->>'requestedBy' AS by
    FROM operations WHERE key = $1 AND status = 'done' AND outcome->>'environment' = $2 AND outcome->>'release' = $3
    AND outcome->'set' = $4`;
  const [row] = (await tx.query(select, [planKey({ operation }), environment, release, JSON.stringify(set)])).rows;
  if (!row) throw new NotAsApproved(`${environment}: ${operation} is neither part of ${release} nor a rollback to it`);
  return row;
}

/** Of the operation that plans a rollback. */
export const planKey = ({ operation }: { operation: string }): string => `${operation}:plan`;

async function refuseIfSuperseded(tx: PoolClient, environment: Environment, rank: string): Promise<void> {
  const select = `SELECT release, generation FROM deployments
    WHERE environment = $1 AND status IN ('activating', 'good') AND rank > $2 ORDER BY rank DESC LIMIT 1`;
  const [later] = (await tx.query(select, [environment, rank])).rows;
  if (!later) return;
  const message = `${environment} has ${later.release} as generation ${later.generation}, which began later`;
  throw new Refusal(failureTypes.superseded, message);
}
