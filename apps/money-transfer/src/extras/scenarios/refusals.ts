import { expectSame, type Scenario, say, until } from '@repo/dev-stack';
import { ledgerFailureTypes } from '@repo/ledger/failure-types';
import { formatAmount } from '@repo/ledger/money';
import type { Demo } from '../demo.ts';
import { outcomeInWords } from '../transfer-words.ts';
import { list, resolve } from '../transfers.ts';
import {
  aRequest,
  depositIsHeld,
  expectInTheLedger,
  expectStatus,
  letItGo,
  transferBeforeOurEyes,
} from './before-our-eyes.ts';

const now = () => new Date().toISOString();

/** The ledger says no. */
export const refusalScenarios: Scenario<Demo>[] = [
  {
    name: 'insufficient-funds',
    title: 'Alice has 100.00 EUR and sends 250.00',
    promises: 'the ledger refuses the withdrawal, and neither account has a single entry of it.',
    async run(demo, session) {
      const request = await aRequest(session, demo, 25_000);
      const outcome = await transferBeforeOurEyes(session, demo, request);
      const { reason } = expectStatus(outcome, 'refused');
      expectSame('reason', ledgerFailureTypes.insufficientFunds, reason.type);
      await expectInTheLedger(demo, request, { money: 'untouched', from: [10_000, 'pay-in'], to: [0] });
    },
  },
  {
    name: 'refund',
    title: 'Bob closes his account in the middle of a transfer',
    promises: 'the deposit is refused for good, and alice has her money back, under a key of its own.',
    async run(demo, session) {
      const request = await aRequest(session, demo, 1_250);
      const { to: account } = request;
      const worker = await demo.startFaultyWorker('held-deposit');
      const outcome = await transferBeforeOurEyes(session, demo, request, async ({ announce }, sent) => {
        await depositIsHeld(demo, worker, request);
        await demo.ledger.closeAccount({ key: `account:${account}:close`, at: now(), account });
        await announce(`withdrawn; now ${account} is closed`);
        letItGo(worker);
        return sent;
      });
      const { reason } = expectStatus(outcome, 'refunded');
      expectSame('reason', ledgerFailureTypes.accountClosed, reason.type);
      await expectInTheLedger(demo, request, {
        money: 'given back',
        from: [10_000, 'pay-in', 'withdrawal', 'refund'],
        to: [0],
      });
    },
  },
  {
    name: 'frozen-target',
    title: 'Bob is frozen in the middle of a transfer, and alice too',
    promises:
      'the money waits in suspense, and somebody is told; with bob unfrozen and the transfer resolved, he has it.',
    async run(demo, session) {
      const { client, ledger } = demo;
      const request = await aRequest(session, demo, 1_250);
      const { reference, from, to } = request;
      const worker = await demo.startFaultyWorker('held-deposit');
      const resolved = await transferBeforeOurEyes(session, demo, request, async ({ announce }, sent) => {
        await depositIsHeld(demo, worker, request);
        for (const account of [from, to]) {
          await ledger.freezeAccount({ key: `account:${account}:freeze`, at: now(), account });
        }
        await announce('withdrawn; now both accounts are frozen');
        letItGo(worker);
        const stuck = await sent;
        expectStatus(stuck, 'needs-attention');
        await expectInTheLedger(demo, request, { money: 'suspense', from: [8_750, 'pay-in', 'withdrawal'], to: [0] });
        await announce(outcomeInWords(stuck).replace(/\n.*/s, ''));
        // The list lags behind by some moments.
        await until('the transfer in the list of those that need attention', async () => {
          const listed = await list(client, { status: 'needs-attention', limit: 1_000 });
          return listed.find((one) => one.reference === reference);
        });
        await announce(`it is in transfer list --needs-attention; a person unfreezes ${to}`);
        await ledger.unfreezeAccount({ key: `account:${to}:unfreeze`, at: now(), account: to });
        await announce(`transfer resolve ${reference} --by carol`);
        return resolve(client, reference, { by: 'carol' });
      });
      expectStatus(resolved, 'completed');
      const { balance } = await ledger.account({ account: to });
      say(session, `${to} has ${formatAmount(balance, 'EUR')} EUR; ${from} is still frozen`);
      await expectInTheLedger(demo, request, {
        money: 'target',
        from: [8_750, 'pay-in', 'withdrawal'],
        to: [1_250, 'deposit'],
      });
    },
  },
];
