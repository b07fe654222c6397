import { lastEventAt } from '@repo/worker-kit/lookup';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { environments as inOrder, releaseWorkflowId } from '../contract.ts';
import type { Records } from '../services/records.ts';
import type { Deployment } from '../services/records-reader.ts';
import { type EnvironmentState, type Environments, Refused, refusalTypes } from '../services.ts';
import { disagreements } from './agreement.ts';

export interface ReconcileInput {
  client: Client;
  records: Records;
  environments: Environments;
  /** What was begun less than that long ago is left alone, in milliseconds. */
  graceMs: number;
  /** Only says what it would do. */
  dryRun?: boolean | undefined;
  /** How many have been looked at, told at the end of each. */
  onLooked?: ((deployments: number) => void) | undefined;
}

/** A deployment that nobody looks after any more, and what is done about it; or an environment that is not as it should be. */
export type Finding =
  | (Left & { action: 'rolled back' | 'to roll back' | 'recorded' | 'to record' | 'needs attention'; why: string })
  | { environment: string; action: 'needs attention'; why: string }
  | { release: string; action: 'recorded' | 'to record' | 'needs attention'; why: string };
type Left = Pick<Deployment, 'environment' | 'generation' | 'release'>;

/**
 * Brings environments back that a workflow has left in the middle: a terminate and a time-out run no workflow code.
 *
 * Starts from the deployments of which nobody has said what became of them, and asks Temporal for that very workflow,
 * never the list of workflows, which lags behind. An open one is never touched, but shown if it does not get on; what
 * cannot be decided is put before a person; the second time nothing changes. The same for the releases themselves. At the
 * end it compares each environment's host with the records, and with what it really serves.
 */
export async function* reconcile(input: ReconcileInput): AsyncGenerator<Finding> {
  const { records, environments, graceMs, onLooked = () => {} } = input;
  const before = new Date(Date.now() - graceMs).toISOString();
  for (const deployment of await records.unsettled({ before })) {
    const finding = await look(input, deployment);
    if (finding) yield finding;
    onLooked(1);
  }
  for (const { release } of await records.unended({ before })) {
    const finding = await lookAtRelease(input, release);
    if (finding) yield finding;
  }
  for (const environment of inOrder.filter((one) => environments.names.includes(one))) {
    const wrong = await answerOf(() => disagreements(records, environments.of(environment)));
    for (const why of 'noAnswer' in wrong ? [wrong.noAnswer] : wrong) {
      yield { environment, action: 'needs attention', why };
    }
  }
}

async function look(input: ReconcileInput, deployment: Deployment): Promise<Finding | undefined> {
  const { client, records, environments, dryRun } = input;
  const { environment, generation, release, operation } = deployment;
  const finding = (action: Finding['action'], why: string) =>
    ({ environment, generation, release, action, why }) as Finding;
  const found = await describe(client, operation);
  // Only now, for it may have come to its end since the list was read.
  if ((await records.deployment({ environment, generation }))?.status !== 'activating') return undefined;
  if (found?.isOpen) {
    if (Date.now() - (await lastEventAt(client, operation)) < input.graceMs) return undefined;
    return finding('needs attention', `open, but not getting on: is a worker there for task queue ${found.taskQueue}?`);
  }
  const why = found ? endedAs(found) : `Temporal has no workflow ${operation} (any more)`;
  if (!environments.names.includes(environment))
    return finding('needs attention', `${why}, and its host is not known here`);
  const host = environments.of(environment);
  const settle = (status: 'good' | 'rolled-back' | 'superseded', set?: EnvironmentState['set']) =>
    records.settle({ environment, generation, status, set, at: new Date().toISOString() });
  const overtaken = async ({ lastGood }: EnvironmentState) => {
    // What is newer may still lead back to it.
    if (lastGood?.generation === generation) await settle('good', lastGood.set);
    else await settle('superseded');
    return finding('recorded', `${why}, and ${environment} has had a later generation since`);
  };
  const state = await answerOf(() => host.state(AbortSignal.timeout(10_000)));
  if ('noAnswer' in state) return finding('needs attention', `${why}, and ${state.noAnswer}`);
  // Whatever became of the workflow, the host does not take this generation any more.
  if (state.generation > generation) {
    if (dryRun) return finding('to record', why);
    return overtaken(state);
  }
  if (found === undefined) {
    // Forgotten after its retention, or it runs in another namespace.
    const next = `a new release, or release rollback --env ${environment}, puts it right`;
    return finding('needs attention', `${why}: ${next}`);
  }
  // Where it was never switched, or was found good, only the word about it is missing.
  const isServed = state.generation === generation && state.status === 'active';
  if (dryRun) return finding(isServed ? 'to roll back' : 'to record', why);
  const after = await answerOf(() => host.rollBack(generation, AbortSignal.timeout(10_000)));
  if ('noAnswer' in after) {
    if (!after.isOlder) return finding('needs attention', `${why}, and ${after.noAnswer}`);
    return overtaken(await host.state(AbortSignal.timeout(10_000)));
  }
  if (after.status === 'good' && after.generation === generation) {
    await settle('good', after.set);
    return finding('recorded', `${why}, after ${environment} was found good`);
  }
  await settle('rolled-back');
  const now = after.lastGood ? `what was good before, ${after.lastGood.release}` : 'nothing, as before';
  return finding(isServed ? 'rolled back' : 'recorded', `${why}; ${environment} serves ${now}`);
}

/** Of one that was ended from outside nobody has told how; it may have left nothing in an environment. */
async function lookAtRelease(input: ReconcileInput, release: string): Promise<Finding | undefined> {
  const { client, records, dryRun } = input;
  const found = await describe(client, releaseWorkflowId(release));
  if (found?.isOpen || (await records.release(release))?.status !== undefined) return undefined;
  if (found === undefined) {
    const why = 'Temporal has no workflow of it (any more): created again, it comes to its end';
    return { release, action: 'needs attention', why };
  }
  if (dryRun) return { release, action: 'to record', why: endedAs(found) };
  const status = found.execution.toLowerCase().replace('_', '-');
  await records.end({ release, status, at: new Date().toISOString() });
  return { release, action: 'recorded', why: endedAs(found) };
}

const endedAs = ({ execution }: { execution: string }) =>
  `its workflow is ${execution.toLowerCase().replace('_', ' ')}`;

interface NoAnswer {
  noAnswer: string;
  /** It knows a later generation. */
  isOlder: boolean;
}

/** What a host has answered, or why it has not: what cannot be asked now is put before a person. */
async function answerOf<Answer extends object>(ask: () => Promise<Answer>): Promise<Answer | NoAnswer> {
  try {
    return await ask();
  } catch (error) {
    // A database that is away concerns all of them, and a fault of this program is no answer of a host.
    if (!(error instanceof Error) || !(error instanceof Refused || error.message.startsWith('The environment '))) {
      throw error;
    }
    const isOlder = error instanceof Refused && error.type === refusalTypes.olderGeneration;
    return { noAnswer: error.message, isOlder };
  }
}

/** Undefined if Temporal knows no such workflow. */
async function describe(client: Client, workflowId: string) {
  try {
    const found = await client.workflow.getHandle(workflowId).describe();
    return { execution: found.status.name, taskQueue: found.taskQueue, isOpen: found.closeTime === undefined };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}
