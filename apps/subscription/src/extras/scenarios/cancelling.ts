import { expectSame, type Scenario } from '@repo/dev-stack';
import { cancelSignal, failureTypes, subscriptionWorkflowId } from '../../contract.ts';
import type { Demo } from '../demo.ts';
import { cancel, refund } from '../subscriptions.ts';
import {
  aCustomer,
  aSubscription,
  beforeOurEyes,
  clerk,
  expectKept,
  monthly,
  refusedWith,
  untilItIs,
} from './before-our-eyes.ts';

const by = clerk;
const now = () => new Date().toISOString();

/** What is taken back: the subscription, or what was charged for it. */
export const cancellingScenarios: Scenario<Demo>[] = [
  {
    name: 'cancel-in-trial',
    title: 'Alice cancels in the trial of 60 days, while no worker is there',
    promises: 'the signal is kept until one is; then it is over, nothing is charged, and there is one e-mail about it.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, 'endless');
      const { subscriptionId: id } = request;
      const handle = demo.client.workflow.getHandle(subscriptionWorkflowId(id));
      const requestedAt = { at: '' };
      const state = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
        expectSame('status once it stands', 'trial', (await subscribed).status);
        await untilItIs(demo, id, 'the welcome', ({ mails }) => mails.pending.length === 0);
        await demo.stopWorkers();
        requestedAt.at = now();
        await handle.signal(cancelSignal, { requestedAt: requestedAt.at, by });
        await announce(
          `no worker is there any more; the signal cancel, asked for at ${requestedAt.at}, is in the history`,
        );
        const worker = await demo.startWorker();
        await announce(`${worker.name} (process ${worker.pid}) is there`);
        await handle.result();
        return cancel(demo.client, id, { requestedAt: now(), by });
      });
      expectSame('when it was cancelled', requestedAt.at, state.cancellation?.effectiveAt);
      await expectKept(demo, alice, state, {
        status: 'trial-cancelled',
        entries: [],
        mails: ['welcome', 'trial-cancelled'],
      });
    },
  },
  {
    name: 'cancel-in-period',
    title: 'Alice cancels in the first month of 36, twice',
    promises:
      'it is over at once and not at the end of the month; what was charged stays, nothing more is; one e-mail.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, 'phone-36');
      const { subscriptionId: id } = request;
      const state = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
        await subscribed;
        await untilItIs(demo, id, 'the first charge', ({ periodsPaid }) => periodsPaid === 1);
        const first = await cancel(demo.client, id, { requestedAt: now(), by });
        await announce(`cancel ${id}: ${first.status}`);
        const second = await cancel(demo.client, id, { requestedAt: now(), by });
        expectSame('the second cancellation', first.cancellation, second.cancellation);
        await announce('cancelled once more: the same answer, and no second e-mail');
        return second;
      });
      await expectKept(demo, alice, state, {
        status: 'cancelled',
        entries: [-2_999],
        mails: ['welcome', 'subscription-cancelled'],
      });
    },
  },
  {
    name: 'refund',
    title: 'The first month is given back',
    promises: 'alice has the money back once, however often that is asked for; a month that was not charged cannot be.',
    async run(demo, session) {
      const alice = await aCustomer(session, demo);
      const request = aSubscription(session, alice, monthly);
      const { subscriptionId: id } = request;
      const state = await beforeOurEyes(session, demo, request, async ({ announce }, subscribed) => {
        await subscribed;
        await untilItIs(demo, id, 'the first charge', ({ periodsPaid }) => periodsPaid === 1);
        const asked = { period: 1, reason: 'it did not work', by };
        const given = await refund(demo.client, id, asked);
        await announce(`refund ${id} --period 1`);
        expectSame('the same, asked for again', given, await refund(demo.client, id, asked));
        const none = await refusedWith(refund(demo.client, id, { ...asked, period: 2 }));
        expectSame('what another month is refused with', failureTypes.nothingToRefund, none.type);
        await announce(`refund ${id} --period 2: refused, ${none.message}`);
        return cancel(demo.client, id, { requestedAt: now(), by });
      });
      expectSame('what it has cost in all', 0, state.totals.net);
      const { balance } = await demo.ledger.account({ account: alice.id });
      expectSame(`what ${alice.id} has`, 10_000, balance);
      await expectKept(demo, alice, state, {
        status: 'cancelled',
        entries: [-999, 999],
        mails: ['welcome', 'subscription-cancelled'],
      });
    },
  },
];
