import { activityOf, attemptsOf, BrokenPromise, expectSame, requireOwned, type Scenario, until } from '@repo/dev-stack';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { transferWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { transferState } from '../transfers.ts';
import {
  aRequest,
  depositIsHeld,
  expectInTheLedger,
  expectStatus,
  letItGo,
  said,
  transferBeforeOurEyes,
} from './before-our-eyes.ts';

const arrived = {
  money: 'target',
  from: [8_750, 'pay-in', 'withdrawal'],
  to: [1_250, 'deposit'],
} satisfies Parameters<typeof expectInTheLedger>[2];

/** Nobody knows whether the deposit has happened. */
export const unansweredScenarios: Scenario<Demo>[] = [
  {
    name: 'bank-down',
    title: 'PostgreSQL is stopped between withdrawal and deposit',
    promises: 'the money rests in suspense; the deposit is asked for until the bank is back, and arrives once.',
    async run(demo, session) {
      requireOwned(session, 'postgres');
      const request = await aRequest(session, demo, 1_250);
      const worker = await demo.startFaultyWorker('held-deposit');
      const outcome = await transferBeforeOurEyes(session, demo, request, async ({ announce }, sent) => {
        await depositIsHeld(demo, worker, request);
        await demo.takeDown('postgres', 'stopServer');
        await announce('withdrawn; PostgreSQL is stopped before the deposit reaches it');
        letItGo(worker);
        const { lastFailure } = await activityOf(demo.client, transferWorkflowId(request.reference), 'deposit', 3);
        const types: unknown[] = [];
        for (let one = lastFailure; one; one = one.cause) types.push(one.applicationFailureInfo?.type);
        if (!types.includes(ledgerFailureTypes.databaseUnavailable)) {
          throw new BrokenPromise('why the deposit failed', ledgerFailureTypes.databaseUnavailable, lastFailure);
        }
        await announce('it is asked for again by itself; PostgreSQL is starting');
        await demo.bringBack('postgres');
        await announce('PostgreSQL is up again; nothing else is done');
        return sent;
      });
      expectStatus(outcome, 'completed');
      await expectInTheLedger(demo, request, arrived);
    },
  },
  {
    name: 'unknown-deposit',
    title: 'The reply to the deposit is lost, after COMMIT',
    promises: 'it is asked for twice with one key, and the money arrives once.',
    async run(demo, session) {
      const request = await aRequest(session, demo, 1_250);
      const worker = await demo.startFaultyWorker('lost-deposit');
      const workflowId = transferWorkflowId(request.reference);
      const outcome = await transferBeforeOurEyes(session, demo, request, async ({ announce }, sent) => {
        await until('the lost reply', async () => said(worker, 'reply lost'));
        const { status } = await transferState(demo.client, request.reference);
        expectSame('what the workflow knows', 'transferring', status);
        await expectInTheLedger(demo, request, arrived);
        await announce('bob has the money, and the workflow does not know: it asks again, under the same key');
        letItGo(worker);
        return sent;
      });
      expectStatus(outcome, 'completed');
      expectSame('attempts of the deposit', 2, await attemptsOf(demo.client, workflowId, 'deposit'));
      await expectInTheLedger(demo, request, arrived);
    },
  },
  {
    name: 'worker-crash',
    title: 'The worker is killed between withdrawal and deposit',
    promises: 'another worker takes over where it was, and the money arrives once.',
    async run(demo, session) {
      const request = await aRequest(session, demo, 1_250);
      const worker = await demo.startFaultyWorker('held-deposit');
      const outcome = await transferBeforeOurEyes(session, demo, request, async ({ announce }, sent) => {
        await depositIsHeld(demo, worker, request);
        await demo.killWorker(worker);
        await announce(`withdrawn; process ${worker.pid}, the only worker, is killed with SIGKILL before the deposit`);
        const heir = await demo.startWorker();
        await announce(`${heir.name} (process ${heir.pid}) is there; the dead one's attempt is given up after 5 s`);
        return sent;
      });
      expectStatus(outcome, 'completed');
      await expectInTheLedger(demo, request, arrived);
    },
  },
];
