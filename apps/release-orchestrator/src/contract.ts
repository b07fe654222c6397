import { defineSearchAttributeKey } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Environment } from './contract/names.ts';
import type { CancelRequest, Decision, ReleaseInput, ReleaseRequest, RollbackRequest } from './contract/requests.ts';

/** What everybody who talks to this app has to know: names, inputs, outcomes, messages, failure types. */

export * from './contract/names.ts';
export * from './contract/requests.ts';

/** A failure as people read it and programs branch on it. */
export interface Reason {
  type: string;
  message: string;
}

/** What one deployable is in one environment; both are SHA-256 in hexadecimal digits. */
export interface Version {
  artifact: string;
  config: string;
}
/** What an environment serves, by the name of the deployable. It is switched as a whole. */
export type VersionSet = Record<string, Version>;

/** What is approved: nothing but this is deployed. */
export interface ReleaseDocument {
  release: string;
  requestedBy: string;
  deployables: { name: string; source: string; sourceDigest: string; artifact: string }[];
  environments: { environment: Environment; set: VersionSet }[];
}

/** A document with its digest; `markdown` says the same as `json`, for people. */
export interface DocumentRecord {
  json: ReleaseDocument;
  digest: string;
  markdown: string;
}

export interface Approval {
  decision: 'approved' | 'rejected' | 'expired';
  by?: string;
  /** When, and until when it could be: ISO 8601. */
  at: string;
  until: string;
  /** The digest of the document that was decided on. */
  document: string;
}

export const deploySteps = [
  ...([
    'find-build',
    'gather-artifact',
    'gather-config',
    'deploy-artifact',
    'update-config',
    'verify-installed',
  ] as const),
];
export const environmentSteps = ['claim', 'activate', 'verify', 'mark-good', 'roll-back'] as const;

/** What became of one step. */
export interface StepReport {
  step: (typeof deploySteps)[number] | (typeof environmentSteps)[number];
  /** How often it was tried until it succeeded. */
  attempts: number;
  milliseconds: number;
}

/** One deployable in one environment: `staged` is there beside what is served, and nobody sees it yet. */
export type DeployEnding =
  | { status: 'staged'; deployable: string; version: Version; steps: StepReport[] }
  | { status: 'failed' | 'cancelled'; deployable: string; version: Version; steps: StepReport[]; reason?: Reason };

/** How one environment ended: of all but `good`, it serves what was good before, or nothing if there never was anything. */
export interface EnvironmentEnding {
  status: 'good' | 'failed' | 'superseded' | 'cancelled';
  environment: Environment;
  set: VersionSet;
  /** Missing if nothing was switched. */
  generation?: number;
  /** True if it was switched, and what was good before is served again, or nothing if nothing ever was. */
  isRolledBack?: boolean;
  deploys: DeployEnding[];
  steps: StepReport[];
  reason?: Reason;
  /** ISO 8601. */
  began: string;
  ended: string;
}

/** What went where, when, approved by whom, with which digests. */
export interface ReleaseSummary {
  release: string;
  requestedBy: string;
  approval?: Approval;
  /** The digest of the document; missing if it did not come to one. */
  document?: string;
  deployables: ReleaseDocument['deployables'];
  /** In the order of promotion; an environment that was not reached is missing. */
  environments: EnvironmentEnding[];
  cancelled?: { by?: string; requestedAt: string };
  /** ISO 8601. */
  began: string;
  ended: string;
}

/** How a release ends. `markdown` says the same as `summary`, for people. */
export interface ReleaseEnding {
  /**
   * `released`: every environment serves it. `refused`: a source or a config cannot be released; nothing was touched.
   * `failed`, `superseded`, `cancelled`: the environments before that one serve it, that one and all after it do not.
   */
  status: 'released' | 'rejected' | 'expired' | 'failed' | 'cancelled' | 'superseded' | 'refused';
  release: string;
  reason?: Reason;
  /** Missing if it did not come to one. */
  document?: DocumentRecord;
  summary: ReleaseSummary;
  markdown: string;
}

/** What is answered to whoever waits; `waiting-for-approval` is no end: somebody has to decide, until `until` (ISO 8601). */
export type ReleaseOutcome =
  | ReleaseEnding
  | { status: 'waiting-for-approval'; release: string; document: string; until: string };

export interface ReleaseState {
  request: ReleaseRequest;
  status: 'gathering' | 'building' | 'documenting' | 'deploying' | ReleaseOutcome['status'];
  /** Missing until everything is built. */
  document?: DocumentRecord;
  /** Missing until there is a document. */
  approval?: Pick<Approval, 'until'> & Partial<Approval>;
  /** In the order of promotion, the ones asked for. */
  environments: { environment: Environment; status: 'pending' | 'deploying' | EnvironmentEnding['status'] }[];
  /** What keeps failing, and is still being tried: for a person to mend. */
  problems: Problem[];
  /** Missing while there is something to do. */
  outcome?: ReleaseOutcome;
}

/** `where` is a part of the release, such as `qc`, or a deployable in it: `qc/hello-web`. */
export interface Problem extends Reason {
  where: string;
}

/** What is known of one environment's part of a release, or of a rollback. */
export interface EnvironmentState {
  environment: Environment;
  status: 'staging' | 'activating' | 'verifying' | 'rolling-back' | RollbackEnding['status'];
  generation?: number;
  problems: Problem[];
}

/** How a rollback ends: `refused` if there is nothing to go back to; of all but `good` nothing has changed. */
export interface RollbackEnding extends Omit<EnvironmentEnding, 'status'> {
  status: EnvironmentEnding['status'] | 'refused';
  /** The generation whose set is served again, and the release that it came with; missing if there is none. */
  to?: number;
  release?: string;
}

/** Answers at once with what is known; the second one is for the workflows `environment` and `rollback`. */
export const stateQuery = defineQuery<ReleaseState>('state');
export const environmentStateQuery = defineQuery<EnvironmentState>('state');

/**
 * Answers as soon as the release has ended, or an approval is waited for. With a request in it, it is refused
 * (`releaseMismatch`) if the release of this name has other details.
 */
export const outcomeUpdate = defineUpdate<ReleaseOutcome, [ReleaseInput?]>('outcome');

/**
 * Decides on a release that waits, and answers at once; `outcomeUpdate` answers with what becomes of it. Refused with
 * `notWaiting`, also if somebody else or the time was faster, or with `documentMismatch`.
 */
export const approveUpdate = defineUpdate<Approval, [Decision]>('approve');
export const rejectUpdate = defineUpdate<Approval, [Decision]>('reject');

/** Answers when the rollback has ended. With a request in it, it is refused (`releaseMismatch`) if that one has other details. */
export const rollbackUpdate = defineUpdate<RollbackEnding, [RollbackRequest?]>('outcome');

/**
 * Stops a release: what is good stays, the environment in the middle of it goes back to what it had, the rest is not
 * touched. Recorded also while no worker is up.
 */
export const cancelSignal = defineSignal<[CancelRequest?]>('cancel');

/** From a child: what keeps failing there, or with no `problem`, that it does not any longer. */
export const problemSignal = defineSignal<[{ where: string; problem?: Reason }]>('problem');

/** Search attributes, so that releases can be found in the Web UI and with `temporal workflow list --query`. `needs-attention`: `problems` has something. */
export const statusAttribute = defineSearchAttributeKey('Status', 'KEYWORD');
export const startedByAttribute = defineSearchAttributeKey('StartedBy', 'KEYWORD');
