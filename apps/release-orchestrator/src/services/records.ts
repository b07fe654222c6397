import { createHash } from 'node:crypto';
import { cancelOnce, performOnce, Refusal, statement } from '@repo/operations';
import type { Pool, PoolClient } from 'pg';
import type { Approval, DocumentRecord, Environment, ReleaseDocument, VersionSet } from '../contract.ts';
import { failureTypes } from '../contract.ts';
import { type Claim, issue, NotAsApproved, planKey } from './claims.ts';
import { documentInWords } from './document-in-words.ts';
import { type Deployment, type DeploymentStatus, type RecordsReader, recordsReader } from './records-reader.ts';

/** What a rollback is asked for with. */
export interface RollbackOrder {
  operation: string;
  environment: Environment;
  /** A generation; left out, the last good one if something newer is being tried, and otherwise what was good before that. */
  to?: number | undefined;
  requestedBy: string;
}

export interface RollbackPlan {
  /** Whose set is to be served again. */
  generation: number;
  release: string;
  set: VersionSet;
}

/** What was released where, by whom: the app's own database. Each call may be repeated, and throws a `Refusal` for a no that lasts. */
export interface Records extends RecordsReader {
  /** From here on, releases that began earlier do not get into an environment that this one has reached. */
  begin(release: { release: string; requestedBy: string; at: string }): Promise<void>;
  /**
   * Keeps what is to be approved. The first one counts: another one is refused with `DocumentMismatch`.
   * @returns with what was decided on it, if that is known already
   */
  keepDocument(document: ReleaseDocument): Promise<DocumentRecord & { approval?: Approval }>;
  /** Keeps what was decided on the document. The first decision counts. */
  decide(decision: { release: string; approval: Approval }): Promise<void>;
  /** How it ended, with what it says of itself. */
  end(ending: { release: string; status: string; at: string }): Promise<void>;
  /**
   * Issues the generation with which an environment may be switched. Refused with `Superseded` if a later release or
   * rollback has got there, and with `NotAsApproved` unless it is the part of a release that was approved, has not ended and
   * is good in the environments before, or a rollback as it was planned.
   */
  claim(claim: Claim): Promise<{ generation: number }>;
  /**
   * Afterwards the operation gets no generation any more, not even if it asks only now.
   * @returns the one that it had got; undefined if there was none
   */
  withdraw(claim: { operation: string }): Promise<Deployment | undefined>;
  /** Says what became of a switch. @param set all that the environment serves, if it is good */
  settle(end: {
    environment: Environment;
    generation: number;
    status: Exclude<DeploymentStatus, 'activating'>;
    set?: VersionSet | undefined;
    at: string;
  }): Promise<Deployment>;
  /** What a rollback goes back to. Refused with `NothingToRollBackTo`. */
  planRollback(rollback: RollbackOrder): Promise<RollbackPlan>;
}

/** @param pool of the role that works in the schema of `migrations` */
export function createRecords(pool: Pool): Records {
  const once = async <Outcome>(key: string, request: unknown, effect: (tx: PoolClient) => Promise<Outcome>) => {
    const performed = await performOnce(pool, { key, request }, effect);
    if (performed.status === 'done') return performed.outcome;
    if (performed.status === 'refused') {
      throw new Refusal(performed.refusal.type, performed.refusal.message, performed.refusal.details);
    }
    if (performed.status === 'cancelled') {
      throw new Refusal(failureTypes.withdrawn, `${key} was rolled back, and does not get in again`);
    }
    throw new Refusal(failureTypes.releaseMismatch, `${key} was asked for with other details`);
  };
  const reader = recordsReader(pool);

  return {
    ...reader,

    begin: async ({ release, requestedBy, at }) => {
      const insert = `INSERT INTO releases (release, rank, requested_by, began_at)
        VALUES ($1, nextval('ranks'), $2, $3) ON CONFLICT (release) DO NOTHING`;
      await statement(pool, insert, [release, requestedBy, at]);
    },

    keepDocument: async (json) => {
      const record = { json, digest: digestOf(json), markdown: '' };
      const update = `UPDATE releases SET document = coalesce(document, $2::jsonb),
        document_digest = coalesce(document_digest, $3) WHERE release = $1 RETURNING document_digest AS digest, approval`;
      const [kept] = await statement<{ digest: string; approval: Approval | null }>(pool, update, [
        json.release,
        JSON.stringify(json),
        record.digest,
      ]);
      if (kept?.digest !== record.digest) {
        throw new Refusal(failureTypes.documentMismatch, `release ${json.release} was documented otherwise before`);
      }
      const decided = kept.approval ? { approval: kept.approval } : {};
      return { ...record, markdown: documentInWords(json, record.digest), ...decided };
    },

    decide: async ({ release, approval }) => {
      const update = 'UPDATE releases SET approval = coalesce(approval, $2::jsonb) WHERE release = $1';
      await statement(pool, update, [release, JSON.stringify(approval)]);
    },

    end: async ({ release, status, at }) => {
      const update = 'UPDATE releases SET status = $2, ended_at = $3 WHERE release = $1 AND status IS NULL';
      await statement(pool, update, [release, status, at]);
    },

    claim: ({ at, ...claim }) =>
      once(claim.operation, claim, (tx) => issue(tx, { ...claim, at })).catch((error) => {
        throw error instanceof NotAsApproved ? new Refusal(failureTypes.notAsApproved, error.message) : error;
      }),

    withdraw: async ({ operation }) => {
      await cancelOnce(pool, operation, async () => {});
      return reader.deploymentOf({ operation });
    },

    settle: async ({ environment, generation, status, set, at }) => {
      const update = `UPDATE deployments SET status = $3, set = coalesce($4::jsonb, set), settled_at = $5
        WHERE environment = $1 AND generation = $2 AND status = 'activating'`;
      await statement(pool, update, [environment, generation, status, set ? JSON.stringify(set) : null, at]);
      const settled = await reader.deployment({ environment, generation });
      if (!settled) throw new Refusal(failureTypes.superseded, `${environment} has no generation ${generation}`);
      return settled;
    },

    planRollback: (rollback) =>
      once(planKey(rollback), rollback, async (tx) => {
        const { environment, to, requestedBy } = rollback;
        const [found] = (await tx.query(rollbackTarget, [environment, to ?? null])).rows;
        if (!found) {
          const what =
            to === undefined ? 'nothing else was good there before' : `generation ${to} was never good there`;
          throw new Refusal(failureTypes.nothingToRollBackTo, `${environment}: ${what}`);
        }
        const { rank } = (await tx.query(`SELECT nextval('ranks') AS rank`)).rows[0];
        const { generation, origin, release, set } = found;
        return { rank, origin, environment, requestedBy, generation: Number(generation), release, set };
      }),
  };
}

/** Back from what is good, over other rollbacks to what was good before; of what is only being tried, back to what is good. */
const rollbackTarget = `WITH good AS (
    SELECT generation, origin, release, set FROM deployments WHERE environment = $1 AND status = 'good'
  ), last AS (SELECT * FROM good ORDER BY generation DESC LIMIT 1)
  SELECT good.* FROM good, last WHERE CASE
    WHEN $2::bigint IS NOT NULL THEN good.generation = $2
    WHEN EXISTS (SELECT FROM deployments AS tried
      WHERE environment = $1 AND status = 'activating' AND tried.generation > last.generation)
    THEN good.generation = last.generation
    ELSE good.generation < last.origin AND good.set <> last.set END
  ORDER BY good.generation DESC LIMIT 1`;

/** SHA-256 over the document as JSON with sorted keys. */
const digestOf = (document: ReleaseDocument): string => createHash('sha256').update(canonical(document)).digest('hex');

const canonical = (json: unknown): string =>
  JSON.stringify(json, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  ) ?? '';
