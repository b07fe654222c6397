import { createHash } from 'node:crypto';
import { cancelOnce, performOnce, Refusal, statement } from '@repo/operations';
import type { Pool, PoolClient } from 'pg';
import type { Approval, DocumentRecord, Environment, ReleaseDocument, VersionSet } from '../contract.ts';
import { failureTypes } from '../contract.ts';
import { documentInWords } from './document-in-words.ts';
import { type Deployment, type DeploymentStatus, type RecordsReader, recordsReader } from './records-reader.ts';

/** A switch that is about to be made. */
export interface Claim {
  /** The workflow that makes it: it gets one generation, however often it asks. */
  operation: string;
  environment: Environment;
  release: string;
  requestedBy: string;
  set: VersionSet;
  /** Of a rollback, what `planRollback` has given; a release's is known. */
  rank?: number | undefined;
  /** ISO 8601. */
  at: string;
}

export interface RollbackPlan {
  rank: number;
  /** Whose set is to be served again. */
  generation: number;
  release: string;
  set: VersionSet;
}

/** What was released where, by whom: the app's own database. Each call may be repeated, and throws a `Refusal` for a no that lasts. */
export interface Records extends RecordsReader {
  /** From here on, releases that began earlier do not get into an environment that this one has reached. */
  begin(release: { release: string; requestedBy: string; at: string }): Promise<void>;
  /** Keeps what is to be approved. The first one counts: another one is refused with `DocumentMismatch`. */
  keepDocument(document: ReleaseDocument): Promise<DocumentRecord>;
  /** Keeps what was decided on the document. The first decision counts. */
  decide(decision: { release: string; approval: Approval }): Promise<void>;
  /** How it ended, with what it says of itself. */
  end(ending: { release: string; status: string; at: string }): Promise<void>;
  /**
   * Issues the generation with which an environment may be switched. Refused with `Superseded` if a later release or
   * rollback has got there, and with `NotAsApproved` if this very set was not approved.
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
  planRollback(rollback: {
    operation: string;
    environment: Environment;
    to?: number | undefined;
  }): Promise<RollbackPlan>;
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
        document_digest = coalesce(document_digest, $3) WHERE release = $1 RETURNING document_digest AS digest`;
      const [kept] = await statement<{ digest: string }>(pool, update, [
        json.release,
        JSON.stringify(json),
        record.digest,
      ]);
      if (kept?.digest !== record.digest) {
        throw new Refusal(failureTypes.documentMismatch, `release ${json.release} was documented otherwise before`);
      }
      return { ...record, markdown: documentInWords(json, record.digest) };
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
      once(claim.operation, claim, async (tx) => {
        const { operation, environment, release, requestedBy, set } = claim;
        const next = `INSERT INTO environments (environment, generation) VALUES ($1, 1)
          ON CONFLICT (environment) DO UPDATE SET generation = environments.generation + 1 RETURNING generation`;
        const generation = Number((await tx.query(next, [environment])).rows[0].generation);
        const rank = claim.rank ?? (await rankOfApproved(tx, claim));
        await refuseIfSuperseded(tx, environment, rank);
        const insert = `INSERT INTO deployments
          (environment, generation, operation, rank, release, requested_by, set, status, claimed_at)
          VALUES ($1, $2, $3, $4, $5, $6, $7, 'activating', $8)`;
        const values = [environment, generation, operation, rank, release, requestedBy, JSON.stringify(set), at];
        await tx.query(insert, values);
        return { generation };
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
      once(`${rollback.operation}:plan`, rollback, async (tx) => {
        const { environment, to } = rollback;
        const target = `SELECT generation, release, set FROM deployments AS d
          WHERE environment = $1 AND status = 'good' AND generation = coalesce($2, (
            SELECT max(generation) FROM deployments AS other
            WHERE environment = $1 AND status = 'good' AND set <> (
              SELECT set FROM deployments WHERE environment = $1 AND status = 'good' ORDER BY generation DESC LIMIT 1)))`;
        const [found] = (await tx.query(target, [environment, to ?? null])).rows;
        if (!found) {
          const what = to === undefined ? 'nothing else was ever good there' : `generation ${to} was never good there`;
          throw new Refusal(failureTypes.nothingToRollBackTo, `${environment}: ${what}`);
        }
        const rank = Number((await tx.query(`SELECT nextval('ranks') AS rank`)).rows[0].rank);
        return { rank, generation: Number(found.generation), release: found.release, set: found.set };
      }),
  };
}

/** Nothing gets a generation that somebody has not read and approved, digest by digest. */
async function rankOfApproved(tx: PoolClient, { release, environment, set }: Omit<Claim, 'at'>): Promise<number> {
  const select = 'SELECT rank, document, approval FROM releases WHERE release = $1';
  const [row] = (await tx.query(select, [release])).rows;
  const document = row?.document as ReleaseDocument | undefined;
  const approved = document?.environments.find((one) => one.environment === environment)?.set;
  if (row?.approval?.decision !== 'approved' || canonical(approved) !== canonical(set)) {
    throw new Refusal(failureTypes.notAsApproved, `${environment}: release ${release} was not approved with this set`);
  }
  return Number(row.rank);
}

async function refuseIfSuperseded(tx: PoolClient, environment: Environment, rank: number): Promise<void> {
  const select = `SELECT release, generation FROM deployments
    WHERE environment = $1 AND status IN ('activating', 'good') AND rank > $2 ORDER BY rank DESC LIMIT 1`;
  const [later] = (await tx.query(select, [environment, rank])).rows;
  if (!later) return;
  const message = `${environment} has ${later.release} as generation ${later.generation}, which began later`;
  throw new Refusal(failureTypes.superseded, message);
}

/** SHA-256 over the document as JSON with sorted keys. */
const digestOf = (document: ReleaseDocument): string => createHash('sha256').update(canonical(document)).digest('hex');

const canonical = (json: unknown): string =>
  JSON.stringify(json, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  ) ?? '';
