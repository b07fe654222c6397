/** Names, workflow ids and failure types. */

/** What a workflow gets that starts another one of an id that is taken. */
export { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';

/** A deployment that shares a Temporal namespace with another one sets TASK_QUEUE. */
export const defaultTaskQueue = 'release-orchestrator';

/** In the order in which a release is promoted. */
export const environments = ['dev', 'test', 'qc', 'prod'] as const;
export type Environment = (typeof environments)[number];

/** One workflow for one release: the id is how Temporal refuses a second one. */
export const releaseWorkflowId = (release: string): string => `release:${release}`;
export const environmentWorkflowId = (release: string, environment: Environment): string =>
  `release:${release}:env:${environment}`;
export const rollbackWorkflowId = ({ environment, id }: { environment: Environment; id: string }): string =>
  `rollback:${environment}:${id}`;
/** @param parent of an environment's workflow or of a rollback's */
export const deployWorkflowId = (parent: string, deployable: string): string => `${parent}:deploy:${deployable}`;

/**
 * Why something was refused or failed; besides, a service's no (`refusalTypes` in src/services). Programs branch on these,
 * never on a message.
 */
export const failureTypes = {
  /** The request breaks a rule; nothing was touched. */
  invalidRelease: 'InvalidRelease',
  /** There is a release of that name already, with other details. */
  releaseMismatch: 'ReleaseMismatch',
  /** The release does not wait for an approval: not yet, not any more, or it never did. */
  notWaiting: 'NotWaitingForApproval',
  /** What was approved is another document than this release's. */
  documentMismatch: 'DocumentMismatch',
  /** What was approved is not to be had any more, or this is not what was approved. */
  notAsApproved: 'NotAsApproved',
  /** A newer release or rollback has the environment. */
  superseded: 'Superseded',
  /** What was rolled back does not come again under the same name. */
  withdrawn: 'Withdrawn',
  /** The environment does not serve what it was given, or says that it is ill, and that has not passed. */
  verification: 'VerificationFailed',
  /** Nothing to go back to. */
  nothingToRollBackTo: 'NothingToRollBackTo',
  /** Parts of what was to be served are not at the environment's host, or not any more. */
  missingParts: 'MissingParts',
  /** One of the workflows was ended from outside. */
  endedFromOutside: 'EndedFromOutside',
  /** No answer, or one that is worth asking again for. The only one that is retried. */
  unavailable: 'Unavailable',
} as const;
