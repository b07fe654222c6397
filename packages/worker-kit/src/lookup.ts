import {
  type Client,
  QueryNotRegisteredError,
  WorkflowFailedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure, defineSearchAttributeKey, fromPayloadsAtIndex } from '@temporalio/common';
import { isLeftUnanswered, OperatorError } from './errors.ts';
import { anyCode, codes } from './grpc.ts';

/** How long a worker that is up may take to begin with an answer. */
const workerAnswersWithin = 3_000; // milliseconds

const statusAttribute = defineSearchAttributeKey('Status', 'KEYWORD');

/** Temporal has no workflow of this name, or none any more. */
export class NoSuchWorkflow extends OperatorError {}
/** The workflow is open, and what was asked for needs a worker. */
export class NoWorker extends OperatorError {}
/** The workflow was terminated, cancelled or timed out, so it has no outcome. */
export class EndedFromOutside extends OperatorError {}
/** No worker has answered in time. */
export class Unanswered extends Error {}

/** What an app's workflows are about, in the app's own words. */
export interface Subject<Request, Outcome, State> {
  /** As messages call one: `transfer`. */
  noun: string;
  /** The workflow's id, made of its name for people: `transfer:ref-1` of `ref-1`. */
  workflowId(name: string): string;
  /** What its workers serve unless `TASK_QUEUE` says otherwise. */
  defaultTaskQueue: string;
  /** Commands in full, as they are to be typed. */
  commands: {
    /** Starts a worker. */
    worker: string;
    list: string;
    /** Puts right what a workflow that was ended from outside left behind. */
    reconcile: string;
    status(name: string): string;
  };
  /** The request in the workflow's first argument, checked. */
  request(input: unknown): Request;
  /** What is known of one that has ended. */
  ended(request: Request, outcome: Outcome): State;
}

/** A workflow whose result is this. */
export type HandleOf<Outcome> = WorkflowHandle<() => Promise<Outcome>>;

/** How a question is put to an open workflow, and what the answer is if it has ended. */
export interface Asking<Outcome, State, Answer> {
  /** Through `ifWorkerAnswers`, where it needs a worker. */
  open(handle: HandleOf<Outcome>): Promise<Answer>;
  ended(state: State): Answer;
  /** What no answer in time means, in words; it may be `mayBeRecorded`. Unless told otherwise, that no more is known. */
  unanswered?(name: string, status: string, taskQueue: string): OperatorError;
}

/** Finds an app's workflows, open or ended, with or without a worker. */
export function lookupOf<Request, Outcome, State>(subject: Subject<Request, Outcome, State>) {
  const { noun, commands } = subject;
  const Noun = noun.charAt(0).toUpperCase() + noun.slice(1);
  const workerCommand = commandOn(commands.worker, subject.defaultTaskQueue);

  const notKnown = (name: string, status: string, taskQueue: string): OperatorError =>
    new NoWorker(
      `${Noun} ${name} is ${status}; nobody serves task queue ${taskQueue}, so no more is known now.`,
      `Start a worker: ${workerCommand(taskQueue)}`,
    );

  async function describe(handle: HandleOf<Outcome>, name: string) {
    try {
      return await handle.describe();
    } catch (error) {
      // As no id of a workflow may be: one that is too long.
      const isNoId = anyCode(error, [codes.invalidArgument]);
      if (!(error instanceof WorkflowNotFoundError) && !isNoId) throw error;
      throw new NoSuchWorkflow(`There is no ${noun} ${name}.`, `They are listed by: ${commands.list}`);
    }
  }

  async function endedState(client: Client, handle: HandleOf<Outcome>, name: string, status: string): Promise<State> {
    let outcome: Outcome;
    try {
      outcome = await handle.result();
    } catch (error) {
      if (!(error instanceof WorkflowFailedError) || error.cause instanceof ApplicationFailure) throw error;
      throw new EndedFromOutside(
        `${Noun} ${name} was ended from outside while it was ${status}: ${error.cause?.message ?? error.message}.`,
        `What is left of it is put right by: ${commands.reconcile}`,
        { cause: error },
      );
    }
    return subject.ended(subject.request(await firstArgument(client, handle.workflowId)), outcome);
  }

  /**
   * Asks an open workflow, or answers with what an ended one left behind, which needs no worker.
   * @throws NoSuchWorkflow, NoWorker, EndedFromOutside; WorkflowFailedError if its request was refused
   */
  async function openOrEnded<Answer>(
    client: Client,
    name: string,
    { open, ended, unanswered = notKnown }: Asking<Outcome, State, Answer>,
  ): Promise<Answer> {
    const handle: HandleOf<Outcome> = client.workflow.getHandle(subject.workflowId(name));
    // Asked first, because it needs no worker.
    const { closeTime, taskQueue, typedSearchAttributes } = await describe(handle, name);
    const status = typedSearchAttributes.get(statusAttribute) ?? 'not begun';
    if (closeTime === undefined) {
      try {
        return await open(handle);
      } catch (error) {
        if (error instanceof Unanswered) throw unanswered(name, status, taskQueue);
        if (isLeftUnanswered(error)) return openOrEnded(client, name, { open, ended, unanswered });
        // It has ended meanwhile.
        if (!(error instanceof WorkflowNotFoundError || error instanceof QueryNotRegisteredError)) throw error;
      }
    }
    return ended(await endedState(client, handle, name, status));
  }

  return {
    /** The command that starts a worker for a task queue. */
    workerCommand,

    openOrEnded,

    /** For an update: Temporal keeps one that it has taken, also for a worker that comes later. */
    mayBeRecorded: (name: string, _status: string, taskQueue: string): OperatorError =>
      new NoWorker(
        `Nobody has answered for ${noun} ${name} in ${workerAnswersWithin / 1000} s. It may be recorded, and then goes on when a worker is back: ${workerCommand(taskQueue)}`,
        `What has become of it: ${commands.status(name)}`,
      ),

    /** The request with which the workflow, or the last run of it, was started. */
    requestOf: async (client: Client, workflowId: string): Promise<Request> =>
      subject.request(await firstArgument(client, workflowId)),
  };
}

/** The refusal of an update, for a workflow that is over: what the open one itself would have answered. */
export const refused = (type: string, message: string): WorkflowUpdateFailedError =>
  new WorkflowUpdateFailedError(message, ApplicationFailure.create({ type, message, nonRetryable: true }));

/** A command as it is to be typed for a task queue that need not be the default one. */
export const commandOn =
  (command: string, defaultTaskQueue: string) =>
  (taskQueue: string): string =>
    `${taskQueue === defaultTaskQueue ? '' : `TASK_QUEUE=${taskQueue} `}${command}`;

/** From the first event of the workflow's history. */
async function firstArgument(client: Client, workflowId: string): Promise<unknown> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: 1,
  });
  let payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  for (const codec of payloadCodecs.toReversed()) payloads = await codec.decode(payloads);
  return fromPayloadsAtIndex(payloadConverter, 0, payloads);
}

/** When anything was last recorded of a workflow, in milliseconds since 1970. A failed try alone is not recorded. */
export async function lastEventAt(client: Client, workflowId: string): Promise<number> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId },
    maximumPageSize: 1,
  });
  const { seconds, nanos } = history?.events?.[0]?.eventTime ?? {};
  return Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6;
}

/** @throws Unanswered after three seconds, or as soon as Temporal itself knows of no worker */
export async function ifWorkerAnswers<Answer>(client: Client, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await client.withDeadline(Date.now() + workerAnswersWithin, ask);
  } catch (error) {
    // A deadline that has passed is seen as either of the first two.
    const { cancelled, deadlineExceeded, failedPrecondition } = codes;
    if (anyCode(error, [cancelled, deadlineExceeded, failedPrecondition])) throw new Unanswered();
    throw error;
  }
}

export { isLeftUnanswered } from './errors.ts';
export { causes, isUnreachable } from './grpc.ts';
