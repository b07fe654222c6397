import { statement } from '@repo/operations';
import type { Pool } from 'pg';
import type { Approval, Environment, ReleaseDocument, VersionSet } from '../contract.ts';

export type DeploymentStatus = 'activating' | 'good' | 'rolled-back' | 'superseded';

/** One switch of an environment, from the moment in which its generation was issued. */
export interface Deployment {
  environment: Environment;
  generation: number;
  /** Id of the workflow that did it. */
  operation: string;
  /** The release; of a rollback, the one that it has brought back. */
  release: string;
  requestedBy: string;
  /** What was asked for; once it is good, all that the environment serves. */
  set: VersionSet;
  status: DeploymentStatus;
  /** ISO 8601. */
  claimedAt: string;
  /** Missing while it is activating. */
  settledAt?: string;
}

/** What the app's database knows of a release. */
export interface RecordedRelease {
  release: string;
  requestedBy: string;
  /** ISO 8601. */
  beganAt: string;
  document?: ReleaseDocument;
  documentDigest?: string;
  approval?: Approval;
  /** Missing while it is open, or if it was ended from outside. */
  status?: string;
  endedAt?: string;
}

/** For people, tests and the reconciler. */
export interface RecordsReader {
  release(name: string): Promise<RecordedRelease | undefined>;
  deployment(which: { environment: Environment; generation: number }): Promise<Deployment | undefined>;
  /** What a workflow has switched, or was about to. */
  deploymentOf(which: { operation: string }): Promise<Deployment | undefined>;
  /** The newest first. */
  deployments(which: { environment?: Environment | undefined; limit?: number | undefined }): Promise<Deployment[]>;
  /** Those that were claimed before a moment (ISO 8601), and of which nobody has said what became of them; the oldest first. */
  unsettled(which: { before: string }): Promise<Deployment[]>;
  /** Releases that began before a moment (ISO 8601) and of whose end nobody has told; the oldest first. */
  unended(which: { before: string }): Promise<RecordedRelease[]>;
}

/** Reads only. @param pool of the role that works in the schema of `migrations` */
export function recordsReader(pool: Pool): RecordsReader {
  const columns = 'environment, generation, operation, release, requested_by, set, status, claimed_at, settled_at';
  const select = async (rest: string, values: unknown[]) =>
    (await statement<DeploymentRow>(pool, `SELECT ${columns} FROM deployments ${rest}`, values)).map(toDeployment);
  return {
    release: async (name) => {
      const text = 'SELECT * FROM releases WHERE release = $1';
      const [row] = await statement<ReleaseRow>(pool, text, [name]);
      return row && toRelease(row);
    },
    deployment: async ({ environment, generation }) =>
      (await select('WHERE environment = $1 AND generation = $2', [environment, generation]))[0],
    deploymentOf: async ({ operation }) => (await select('WHERE operation = $1', [operation]))[0],
    deployments: ({ environment, limit = 50 }) =>
      select(
        `WHERE environment = coalesce($1, environment)
         ORDER BY CASE WHEN $1::text IS NULL THEN claimed_at END DESC, generation DESC LIMIT $2`,
        [environment ?? null, limit],
      ),
    unsettled: ({ before }) => select(`WHERE status = 'activating' AND claimed_at < $1 ORDER BY claimed_at`, [before]),
    unended: async ({ before }) => {
      const text = 'SELECT * FROM releases WHERE status IS NULL AND began_at < $1 ORDER BY began_at';
      return (await statement<ReleaseRow>(pool, text, [before])).map(toRelease);
    },
  };
}

interface DeploymentRow {
  environment: Environment;
  generation: string;
  operation: string;
  release: string;
  requested_by: string;
  set: VersionSet;
  status: DeploymentStatus;
  claimed_at: Date;
  settled_at: Date | null;
}

const toDeployment = ({ requested_by, claimed_at, settled_at, generation, ...row }: DeploymentRow): Deployment => ({
  ...row,
  generation: Number(generation),
  requestedBy: requested_by,
  claimedAt: claimed_at.toISOString(),
  ...(settled_at ? { settledAt: settled_at.toISOString() } : {}),
});

interface ReleaseRow {
  release: string;
  requested_by: string;
  began_at: Date;
  document: ReleaseDocument | null;
  document_digest: string | null;
  approval: Approval | null;
  status: string | null;
  ended_at: Date | null;
}

const toRelease = (row: ReleaseRow): RecordedRelease => ({
  release: row.release,
  requestedBy: row.requested_by,
  beganAt: row.began_at.toISOString(),
  ...(row.document ? { document: row.document } : {}),
  ...(row.document_digest ? { documentDigest: row.document_digest } : {}),
  ...(row.approval ? { approval: row.approval } : {}),
  ...(row.status ? { status: row.status } : {}),
  ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
});
