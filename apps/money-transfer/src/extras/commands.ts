import { userInfo } from 'node:os';
import { hinting, milliseconds, print, untilStopped, withClient } from '@repo/dev-stack/commands';
import type { Ledger } from '@repo/ledger';
import { parseInput, taskQueue } from '@repo/worker-kit';
import { EndedFromOutside } from '@repo/worker-kit/lookup';
import type { Client } from '@temporalio/client';
import type { TransferOutcome, TransferState } from '../contract.ts';
import * as contract from '../contract.ts';
import * as doors from './doors.ts';
import { disagreement } from './invariants.ts';
import { withLedger } from './ledger-at-hand.ts';
import { workerCommand } from './transfer-lookup.ts';
import * as words from './transfer-words.ts';
import * as transfers from './transfers.ts';

/** What the commands of transfers do. Each sets the exit code that its `--help` tells of. */

const stopped = 130;
const forAPerson = 3;

/** As commander gives them: all that is not checked here is checked at the door. */
type Options = { json?: boolean; [option: string]: unknown };

/** Sends money and says what has become of it. */
export function sendCommand({
  json,
  by,
  approvalWithin,
  ...options
}: Options & { approvalWithin?: string }): Promise<void> {
  const request = doors.parseMoney(contract.atTheDoor.transfer, {
    ...options,
    requestedBy: by ?? userInfo().username,
    ...(approvalWithin !== undefined && {
      approvalWithin: milliseconds('approvalWithin', approvalWithin) / 1000,
    }),
  });
  const queue = taskQueue(contract.defaultTaskQueue);
  const hint = `Waiting. If nobody serves task queue ${queue}, start a worker: ${workerCommand(queue)}`;
  return withClient(async (client) => {
    const outcome = await unlessCtrlC(client, () =>
      hinting(transfers.sendOrFind(client, request, userInfo().username), hint),
    );
    if (outcome !== undefined) return answer(json, outcome, ['completed', 'waiting-for-approval'], request);
    console.error(
      'Not waited for any longer. If it is recorded, it goes on without you; sent again, it is the same one:',
    );
    console.error(`  pnpm --filter money-transfer transfer status ${request.reference}`);
  });
}

const decisions = {
  approve: { update: transfers.approve, wanted: ['completed'] },
  reject: { update: transfers.reject, wanted: ['rejected'] },
  resolve: { update: transfers.resolve, wanted: ['completed', 'rejected', 'expired', 'cancelled', 'refunded'] },
} as const;

/** Approves, rejects or resolves, and says what has become of it. */
export function decideCommand(name: keyof typeof decisions, reference: string, { json, by }: Options): Promise<void> {
  parseInput(contract.atTheDoor.reference, { reference });
  const decision = parseInput(contract.atTheDoor.decision, { by });
  const { update, wanted } = decisions[name];
  return withClient(async (client) => {
    const outcome = await unlessCtrlC(client, () => update(client, reference, decision));
    if (outcome !== undefined) return answer(json, outcome, wanted);
    console.error(`It may be recorded, and then goes on: pnpm --filter money-transfer transfer status ${reference}`);
  });
}

/** Exit code 1 if it did not become what was asked for, 3 if a person has to look. */
function answer(
  json: boolean | undefined,
  outcome: TransferOutcome,
  wanted: readonly TransferOutcome['status'][],
  request?: contract.TransferRequest,
) {
  const isWanted = wanted.includes(outcome.status);
  if (!isWanted) process.exitCode = outcome.status === 'needs-attention' ? forAPerson : 1;
  const inWords = () => words.outcomeInWords(outcome, request);
  if (isWanted || json) print(json, outcome, inWords);
  else console.error(inWords());
}

/**
 * What Temporal and the ledger know; exit code 1 if neither has ever heard of it, or its workflow was ended from outside, 3
 * if the workflow has ended and the ledger does not agree with what it said.
 */
export function statusCommand(reference: string, { json }: Options): Promise<void> {
  parseInput(contract.atTheDoor.reference, { reference });
  return withClient((client) =>
    withLedger(async (ledger) => {
      const state = await transfers.transferState(client, reference).catch(async (error: unknown) => {
        if (error instanceof EndedFromOutside) {
          const money = await ledger.transfer({ reference });
          print(json, { reference, money }, () => `In the ledger: ${words.moneyInWords(money)}.`);
        }
        throw error;
      });
      const money = await ledger.transfer({ reference });
      const disagrees = await disagreementAtTheEnd(ledger, state);
      if (disagrees !== undefined) process.exitCode = forAPerson;
      print(json, { ...state, money, disagrees }, () => words.statusInWords({ state, money, disagrees }));
    }),
  );
}

/** Before its end, a transfer may move on between a look at Temporal and one at the ledger. */
async function disagreementAtTheEnd(ledger: Ledger, { outcome }: TransferState): Promise<string | undefined> {
  if (!outcome || outcome.status === 'waiting-for-approval' || outcome.status === 'needs-attention') return undefined;
  return disagreement(ledger, outcome);
}

/** The newest transfers, one a line. */
export function listCommand({ json, needsAttention, ...filter }: Options): Promise<void> {
  const query = parseInput(transfers.listQuery, needsAttention ? { ...filter, status: 'needs-attention' } : filter);
  return withClient(async (client) => {
    const found = await transfers.list(client, query);
    if (!json && found.length === 0) console.log('No transfers.');
    for (const one of found) print(json, one, words.listLine);
  });
}

/** Undefined after Ctrl-C, with the exit code set. */
async function unlessCtrlC<Result>(client: Client, work: () => Promise<Result>): Promise<Result | undefined> {
  const result = await untilStopped(client, work);
  if (result === undefined) process.exitCode = stopped;
  return result;
}
