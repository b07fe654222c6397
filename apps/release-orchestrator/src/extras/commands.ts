import { userInfo } from 'node:os';
import { hinting, print, untilStopped, withClient } from '@repo/dev-stack/commands';
import { OperatorError, parseInput, taskQueue } from '@repo/worker-kit';
import { ifWorkerAnswers } from '@repo/worker-kit/lookup';
import type { Client } from '@temporalio/client';
import type { ReleaseOutcome, ReleaseState } from '../contract.ts';
import * as contract from '../contract.ts';
import { command, workerCommand } from './release-lookup.ts';
import * as words from './release-words.ts';
import * as releases from './releases.ts';
import { readRequestFile } from './request-file.ts';

/** What the commands of releases do. Each sets the exit code that its `--help` tells of. */

const stopped = 130;
const forAPerson = 3;

/** As commander gives them: all that is not checked here is checked at the door. */
type Options = { json?: boolean; [option: string]: unknown };

/** Starts the release that a file describes, and says what has become of it so far. */
export async function createCommand(file: string, { json, by }: Options): Promise<void> {
  const found = await readRequestFile(file);
  const isObject = typeof found === 'object' && found !== null && !Array.isArray(found);
  const named = by === undefined ? {} : { requestedBy: by };
  const input = isObject ? { requestedBy: userInfo().username, ...found, ...named } : found;
  const request = parseInput(contract.atTheDoor.release, input);
  const queue = taskQueue(contract.defaultTaskQueue);
  const hint = `Waiting. If nobody serves task queue ${queue}, start a worker: ${workerCommand(queue)}`;
  return withClient(async (client) => {
    const outcome = await unlessCtrlC(client, () =>
      hinting(releases.createOrFind(client, request, userInfo().username), hint),
    );
    if (outcome !== undefined) return answer(json, outcome, ['waiting-for-approval', 'released']);
    console.error(
      'Not waited for any longer. If it is recorded, it goes on without you; created again, it is the same:',
    );
    console.error(`  ${command(`pnpm --filter release-orchestrator release status ${request.release}`)}`);
  });
}

const decisions = {
  approve: { decide: releases.approve, wanted: ['released'] },
  reject: { decide: releases.reject, wanted: ['rejected'] },
} as const;

/** Approves or rejects, and says what becomes of the release. */
export function decideCommand(
  name: keyof typeof decisions,
  release: string,
  { json, wait, by = userInfo().username, document }: Options,
): Promise<void> {
  parseInput(contract.atTheDoor.name, { release });
  const decision = parseInput(contract.atTheDoor.decision, { by, ...(document !== undefined && { document }) });
  const { decide, wanted } = decisions[name];
  return withClient(async (client) => {
    const approval = await unlessCtrlC(client, () => decide(client, release, decision));
    if (approval === undefined) return notWaitedFor(release);
    if (wait === false) return print(json, approval, () => `Release ${release} is ${words.approvalInWords(approval)}.`);
    const said = `Release ${release} is ${words.approvalInWords(approval)}; waiting for what becomes of it.`;
    return theEnd(client, release, { json, wanted, said: json ? undefined : said });
  });
}

/** Cancels, and says what has become of the release. */
export function cancelCommand(
  release: string,
  { json, wait, by = userInfo().username }: Options & { by?: unknown },
): Promise<void> {
  parseInput(contract.atTheDoor.name, { release });
  const decision = parseInput(contract.atTheDoor.decision, { by });
  return withClient(async (client) => {
    const isOpen = await releases.cancel(client, release, decision.by);
    const recorded = (how: string) =>
      print(json, { release, recorded: true }, () => `The cancellation of release ${release} is recorded${how}.`);
    if (isOpen && wait === false) return recorded('');
    // What is recorded takes effect once a worker is there: nobody has to wait for that.
    if (isOpen && !(await isServed(client, release)))
      return recorded('; no worker answers, so it takes effect when one does');
    return theEnd(client, release, { json, wanted: ['cancelled'] });
  });
}

async function isServed(client: Client, release: string): Promise<boolean> {
  const handle = client.workflow.getHandle(contract.releaseWorkflowId(release));
  return ifWorkerAnswers(client, () => handle.query(contract.stateQuery)).then(
    () => true,
    () => false,
  );
}

interface WaitOptions {
  json: boolean | undefined;
  wanted: readonly ReleaseOutcome['status'][];
  /** What there is to say when the waiting begins, from which moment on it can be stopped. */
  said?: string | undefined;
}

async function theEnd(client: Client, release: string, { json, wanted, said }: WaitOptions): Promise<void> {
  const hint = `Still at it. How far it is: ${command(`pnpm --filter release-orchestrator release show ${release}`)}`;
  const outcome = await unlessCtrlC(client, () => {
    if (said !== undefined) console.error(said);
    return hinting(releases.endOf(client, release), hint);
  });
  if (outcome === undefined) return notWaitedFor(release);
  answer(json, outcome, wanted);
}

const notWaitedFor = (release: string) =>
  console.error(
    `Not waited for any longer; it goes on: ${command(`pnpm --filter release-orchestrator release status ${release}`)}`,
  );

/** Exit code 1 if it did not become what was asked for. */
function answer(json: boolean | undefined, outcome: ReleaseOutcome, wanted: readonly ReleaseOutcome['status'][]): void {
  const isWanted = wanted.includes(outcome.status);
  if (!isWanted) process.exitCode = 1;
  if (isWanted || json) print(json, outcome, words.outcomeInWords);
  else console.error(words.outcomeInWords(outcome));
}

const looks = {
  show: (json: boolean | undefined, state: ReleaseState) => print(json, state, words.showInWords),
  status: (json: boolean | undefined, state: ReleaseState) => {
    const { request, status, environments, problems } = state;
    print(json, { release: request.release, status, environments, problems }, () => words.statusInWords(state));
    const isUnwanted = state.outcome !== undefined && !['waiting-for-approval', 'released'].includes(status);
    if (isUnwanted) process.exitCode = 1;
    if (problems.length > 0) process.exitCode = forAPerson;
  },
  document: (json: boolean | undefined, { request, status, document }: ReleaseState) => {
    if (document) return print(json, document, () => document.markdown.trimEnd());
    throw notThere(`Release ${request.release} is ${status}, and has no document`, request.release);
  },
  summary: (json: boolean | undefined, { request, status, outcome }: ReleaseState) => {
    if (outcome && 'summary' in outcome) return print(json, outcome.summary, () => outcome.markdown.trimEnd());
    throw notThere(`Release ${request.release} is ${status}: there is no summary before its end`, request.release);
  },
};

const notThere = (message: string, release: string) =>
  new OperatorError(
    `${message}.`,
    `How far it is: ${command(`pnpm --filter release-orchestrator release show ${release}`)}`,
  );

/** Looks at a release in one of four ways. */
export function lookCommand(name: keyof typeof looks, release: string, { json }: Options): Promise<void> {
  parseInput(contract.atTheDoor.name, { release });
  return withClient(async (client) => {
    const state = await releases.releaseState(client, release);
    looks[name](json, state);
  });
}

/** The newest releases, one a line. */
export function listCommand({ json, needsAttention, ...filter }: Options): Promise<void> {
  const query = parseInput(releases.listQuery, needsAttention ? { ...filter, status: 'needs-attention' } : filter);
  return withClient(async (client) => {
    const found = await releases.list(client, query);
    if (!json && found.length === 0) console.log('No releases.');
    for (const one of found) print(json, one, words.listLine);
  });
}

/** Undefined after Ctrl-C, with the exit code set. */
async function unlessCtrlC<Result>(client: Client, work: () => Promise<Result>): Promise<Result | undefined> {
  const result = await untilStopped(client, work);
  if (result === undefined) process.exitCode = stopped;
  return result;
}
